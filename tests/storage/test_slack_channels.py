"""What a channel is about: one binding each, the newest."""

from __future__ import annotations

from bot.model import Repository
from bot.store import ChannelBinding, Store
from tests.storage.sample import API, NOW

OTHER = ChannelBinding(Repository(8, "acme/other"), "staging")


async def test_the_newest_binding_counts_until_it_is_taken_away(store: Store) -> None:
    channels = store.slack_channels
    assert await channels.of("C0DEPLOYS") is None
    await channels.bind("C0DEPLOYS", ChannelBinding(API), NOW)
    await channels.bind("C0DEPLOYS", OTHER, NOW)
    await channels.bind("C0GENERAL", ChannelBinding(API), NOW)
    assert await channels.of("C0DEPLOYS") == OTHER
    assert await channels.unbind("C0DEPLOYS")
    assert not await channels.unbind("C0DEPLOYS")
    assert await channels.of("C0DEPLOYS") is None
    assert await channels.of("C0GENERAL") == ChannelBinding(API)
