"""What a channel is about: one binding each, the newest."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database as Schema

from bot.model import Repository
from bot.store.slack import BoundChannel, ChannelBinding, Noise
from bot.store.store import Store
from storage.schema.slack import m007_slack_channels, m014_slack_noise
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


async def test_the_channels_about_a_repository_are_those_that_want_to_be_told(store: Store) -> None:
    channels, loud = store.slack_channels, ChannelBinding(API, None, Noise.ALL)
    await channels.bind("C0LOUD", loud, NOW)
    await channels.bind("C0QUIET", replace(loud, noise=Noise.OFF), NOW)
    await channels.bind("C0OTHER", OTHER, NOW)
    assert await channels.about(API.id) == [BoundChannel("C0LOUD", loud, NOW)]


def test_channels_bound_before_there_was_noise_go_on_being_told_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        schema = Schema(connection)
        m007_slack_channels(schema)
        connection.execute("INSERT INTO slack_channels VALUES ('C0OLD', 1, 'acme/api', NULL, 0)")
        m014_slack_noise(schema)
        assert connection.execute("SELECT noise FROM slack_channels").fetchall() == [("off",)]
