"""Locks as they are claimed: of several at the same instant, from several servers, one wins, the others hear of it."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from bot.errors import Refused
from bot.locks import Lock
from bot.model import Origin
from bot.store.answers import Answer
from bot.store.audit import AuditFilter
from bot.store.changes import ReleaseLocks, Settlement, TakeLock
from bot.store.store import Store
from storage.opened import open_store
from tests.storage.sample import API, NOW, after, guid


def lock(holder: str, environment: str | None = "staging", *, until: datetime | None = None, number: int = 0) -> Lock:
    return Lock(API, environment, NOW, until, None, Origin("comment", holder, 1, actor_id=number or None))


async def settled(store: Store, number: int, change: TakeLock | ReleaseLocks, at: datetime = NOW) -> bool:
    """Whether it was written."""
    await store.deliveries.record(guid(number), "issue_comment", b"{}", at)
    delivery = await store.deliveries.find(guid(number))
    assert delivery is not None
    return (await store.deliveries.settle(delivery.seq, Settlement("acted", "locked", changes=(change,)), at)).acted


async def test_of_two_servers_that_claim_at_the_same_instant_one_wins_and_the_other_is_told(
    store: Store, url: str
) -> None:
    other = await open_store(url)
    claims = [
        settled(server, number, TakeLock(lock(f"person{number}")))
        for number, server in enumerate([store, other.store] * 10)
    ]
    results = await asyncio.gather(*claims, return_exceptions=True)
    won = [number for number, result in enumerate(results) if result is True]
    refused = [result for result in results if isinstance(result, Refused)]
    assert len(won) == 1
    assert len(refused) == 19
    assert {refusal.facts["holder"] for refusal in refused} == {f"person{won[0]}"}
    (standing,) = await store.locks.of(API.id, NOW)
    assert standing.holder == f"person{won[0]}"
    await other.close()


async def test_a_claim_that_was_refused_leaves_its_delivery_open(store: Store) -> None:
    await settled(store, 1, TakeLock(lock("alice")))
    with pytest.raises(Refused, match="environment_locked"):
        await settled(store, 2, TakeLock(lock("bob")))
    assert [row.outcome for row in await store.deliveries.recent(5)] == [None, "acted"]


async def test_only_the_lock_that_was_seen_is_taken_over(store: Store) -> None:
    seen = lock("alice")
    await settled(store, 1, TakeLock(seen))
    await settled(store, 2, TakeLock(lock("bob"), over=(seen,)))
    with pytest.raises(Refused, match="environment_locked"):
        await settled(store, 3, TakeLock(lock("carol"), over=(seen,)))


async def test_a_lock_that_was_taken_over_meanwhile_is_not_ended_in_its_place(store: Store) -> None:
    seen = lock("alice")
    await settled(store, 1, TakeLock(seen))
    newer = Lock(API, "staging", after(1), None, None, Origin("comment", "bob", 1))
    await settled(store, 2, TakeLock(newer, over=(seen,)))
    with pytest.raises(Refused, match="not_locked"):
        await settled(store, 3, ReleaseLocks((seen,)))
    assert [one.holder for one in await store.locks.of(API.id, NOW)] == ["bob"]


async def test_a_lock_of_all_and_one_of_an_environment_are_about_the_same(store: Store) -> None:
    await settled(store, 1, TakeLock(lock("alice", "staging")))
    with pytest.raises(Refused):
        await settled(store, 2, TakeLock(lock("bob", None)))
    await settled(store, 3, TakeLock(lock("bob", "production")))
    await settled(store, 4, TakeLock(lock("alice", "preview")))


async def test_a_new_login_of_the_same_account_keeps_its_lock(store: Store) -> None:
    await settled(store, 1, TakeLock(lock("alice", number=7)))
    await settled(store, 2, TakeLock(lock("alice-new", number=7)))
    with pytest.raises(Refused):
        await settled(store, 3, TakeLock(lock("alice", number=8)))


async def test_a_lock_holds_up_to_its_end_and_not_beyond(store: Store) -> None:
    await settled(store, 1, TakeLock(lock("alice", until=after(10))))
    assert [one.holder for one in await store.locks.of(API.id, after(9))] == ["alice"]
    assert await store.locks.of(API.id, after(10)) == []
    await settled(store, 2, TakeLock(lock("bob")), after(10))


async def test_the_end_of_a_lock_is_told_once(store: Store) -> None:
    await settled(store, 1, TakeLock(lock("alice", until=after(10))))
    (over,) = await store.locks.expired(after(10))
    notice = Answer("lock-over", API, 1, 7, "over")
    ended = [await store.locks.expire(over, (notice,), after(10)) for _ in range(2)]
    assert ended == [True, False]
    assert [answer.key for _, answer, _ in await store.answers.due(after(10))] == ["lock-over"]
    (record,) = await store.audit.page(AuditFilter())
    assert (record.entry.actor, record.entry.reason, record.entry.environment) == ("alice", "lock_expired", "staging")
