"""Previews are opened within a repository's limit, whatever server is asked, and end once."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Refused
from bot.store.changes import EndPreview, ExtendPreview, OpenPreview, Settlement
from bot.store.store import Store
from storage.opened import open_store
from tests.storage.sample import API, NOW, SECRET_KEY, after, guid


def opening(number: int, most: int = 1, ends_in_s: int = 3600) -> OpenPreview:
    return OpenPreview(API, 1, number, after(ends_in_s), most)


async def say(store: Store, number: int, change: OpenPreview | ExtendPreview | EndPreview) -> None:
    """Settle a delivery that leads to this."""
    await store.deliveries.record(guid(number), "issue_comment", b"{}", NOW)
    (delivery,) = await store.deliveries.claim(f"w{number}", NOW, 10, 1)
    await store.deliveries.settle(delivery.seq, Settlement("acted", "preview_asked", changes=(change,)), NOW)


async def numbers(store: Store) -> list[int]:
    return [preview.number for preview in await store.previews.all_open()]


async def test_of_two_servers_that_open_the_last_one_allowed_one_does(url: str, store: Store) -> None:
    other = await open_store(url, secret_key=SECRET_KEY)
    try:
        done = await asyncio.gather(say(store, 1, opening(1)), say(other.store, 2, opening(2)), return_exceptions=True)
    finally:
        await other.close()
    (refused,) = (one for one in done if one is not None)
    assert isinstance(refused, Refused)
    assert refused.code == "too_many_previews"
    assert len(await numbers(store)) == 1


async def test_one_that_is_open_is_opened_again_and_keeps_the_later_end(store: Store) -> None:
    await say(store, 1, opening(1, ends_in_s=7200))
    await say(store, 2, opening(1, ends_in_s=3600))
    known = await store.previews.of(API.id, 1)
    assert known is not None
    assert known.ends_at == after(7200)


async def test_one_that_ends_counts_until_nothing_of_it_is_left(store: Store) -> None:
    await say(store, 1, opening(1))
    await say(store, 2, EndPreview(API.id, 1, "stopped", "alice"))
    with pytest.raises(Refused, match="too_many_previews"):
        await say(store, 3, opening(2))
    with pytest.raises(Refused, match="preview_ending"):
        await say(store, 4, opening(1))
    (ending,) = await store.previews.ending()
    await store.previews.is_down(ending)
    assert await store.previews.ending() == []


async def test_what_was_stopped_stays_known_until_its_pull_request_is_closed(store: Store) -> None:
    await say(store, 1, opening(1))
    await say(store, 2, EndPreview(API.id, 1, "stopped", "alice"))
    (ending,) = await store.previews.ending()
    await store.previews.is_down(ending)
    known = await store.previews.of(API.id, 1)
    assert known is not None
    assert (known.ending, known.ended_by, known.down) == ("stopped", "alice", True)
    await say(store, 3, EndPreview(API.id, 1, "closed", "alice"))
    assert await store.previews.of(API.id, 1) is None


async def test_one_ends_once_and_is_not_extended_afterwards(store: Store) -> None:
    await say(store, 1, opening(1))
    end = EndPreview(API.id, 1, "expired")
    assert [await store.previews.end(end, None, NOW) for _ in range(2)] == [True, False]
    with pytest.raises(Refused, match="no_preview"):
        await say(store, 2, ExtendPreview(API.id, 1, after(7200)))
