"""Webhooks recorded once, claimed in order, settled once, replayed and pruned."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Refused
from bot.model import JobState
from bot.store.answers import Answer
from bot.store.changes import HeadMove, Settled, Settlement
from bot.store.jobs import JobFilter
from bot.store.store import Store
from storage.opened import open_store
from tests.storage.sample import API, NOW, after, guid, request

BODY = b'{"ref": "refs/heads/main"}'
ACTED = "acted"


async def record(store: Store, number: int, body: bytes = BODY) -> bool:
    return await store.deliveries.record(guid(number), "push", body, NOW)


async def settle(store: Store, seq: int, key: str | None = None, **parts: object) -> Settled:
    settlement = Settlement(ACTED, "pushed", semantic_key=key, **parts)  # type: ignore[arg-type]
    return await store.deliveries.settle(seq, settlement, NOW)


def answer(key: str) -> Answer:
    return Answer(key, API, 99, 42, "Done.", comment_id=5, reaction="rocket", check_sha="b" * 40)


async def test_the_same_delivery_five_times_at_once_is_recorded_once(store: Store) -> None:
    assert sorted(await asyncio.gather(*(record(store, 1) for _ in range(5)))) == [False] * 4 + [True]
    assert len(await store.deliveries.recent(10)) == 1


async def test_known_and_new_deliveries_may_come_in_one_burst(store: Store) -> None:
    await asyncio.gather(*(record(store, number) for number in range(0, 300, 3)))
    news = await asyncio.gather(*(record(store, number) for number in range(300)))
    assert news == [number % 3 != 0 for number in range(300)]
    assert len(await store.deliveries.recent(1000)) == 300


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=5000), name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
async def test_any_body_and_any_id_come_back_as_they_were(store: Store, body: bytes, name: str) -> None:
    name += uuid.uuid4().hex
    assert await store.deliveries.record(name, "push", body, NOW)
    found = await store.deliveries.find(name)
    assert found is not None
    assert (found.guid, found.event, found.received_at, found.body) == (name, "push", NOW, body)


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe not utf-8", b"[" * 100_000, b"\0" * 26_000_000], ids=["empty", "binary", "deep", "huge"]
)
async def test_a_body_comes_back_byte_for_byte(store: Store, body: bytes) -> None:
    await record(store, 1, body)
    found = await store.deliveries.find(guid(1))
    assert found is not None
    assert found.body == body


@pytest.mark.parametrize(
    "name", [guid(7), guid(7).upper(), guid(7).replace("-", ""), "{" + guid(7) + "}", "smk-1", "0123456789abcdef", "é"]
)
async def test_an_id_keeps_its_spelling(store: Store, name: str) -> None:
    await store.deliveries.record(name, "push", BODY, NOW)
    assert [row.guid for row in await store.deliveries.recent(5)] == [name]
    assert await store.deliveries.unknown([name, "other"]) == ["other"]


async def test_deliveries_are_claimed_in_the_order_they_came(store: Store) -> None:
    for number in (5, 3, 9):
        await record(store, number)
    taken = await store.deliveries.claim("w", NOW, 30, 10)
    assert [(each.guid, each.attempts, each.body) for each in taken] == [(guid(n), 1, BODY) for n in (5, 3, 9)]
    assert await store.deliveries.claim("other", NOW, 30, 10) == []


async def test_a_claim_takes_no_more_than_asked(store: Store) -> None:
    await asyncio.gather(*(record(store, number) for number in range(5)))
    assert len(await store.deliveries.claim("w", NOW, 30, 2)) == 2


async def test_a_delivery_claimed_by_a_worker_that_died_is_claimed_again_after_its_lease(store: Store) -> None:
    await record(store, 1)
    await store.deliveries.claim("dead", NOW, 30, 10)
    assert await store.deliveries.claim("w", after(29), 30, 10) == []
    assert [each.attempts for each in await store.deliveries.claim("w", after(30), 30, 10)] == [2]


async def test_a_worker_known_to_be_dead_gives_its_deliveries_back_at_once(store: Store) -> None:
    await record(store, 1)
    await store.deliveries.claim("dead", NOW, 30, 10)
    assert await store.jobs.lease_owners() == ["dead"]
    await store.jobs.lapse("dead")
    assert len(await store.deliveries.claim("w", NOW, 30, 10)) == 1


async def test_a_delivery_put_off_is_due_when_it_was_said(store: Store) -> None:
    await record(store, 1)
    await store.deliveries.claim("w", NOW, 30, 10)
    await store.deliveries.retry_at(1, after(300), "github_down")
    assert await store.deliveries.claim("w", after(299), 30, 10) == []
    assert len(await store.deliveries.claim("w", after(300), 30, 10)) == 1
    assert [row.reason for row in await store.deliveries.recent(1)] == ["github_down"]


async def test_settling_writes_everything_the_delivery_led_to(store: Store) -> None:
    await record(store, 1)
    waiting = await store.jobs.create(request("other lane"), NOW)
    move = HeadMove(API.id, 42, "b" * 40, NOW, 1)
    parts = {"jobs": (request(),), "cancels": ((waiting.id, "bob"),), "answers": (answer("a"),), "changes": (move,)}
    settled = await settle(store, 1, "push:main", **parts)
    assert settled.acted
    assert await store.jobs.get(settled.jobs[0].id) == settled.jobs[0]
    cancelled = await store.jobs.get(waiting.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.cancel_asked_by) == (JobState.CANCELLED, "bob")
    assert [(each, attempts) for _, each, attempts in await store.answers.due(NOW)] == [(answer("a"), 0)]
    assert await store.deliveries.latest_head(API.id, 42) == move
    assert await store.deliveries.acted_on("push:main")
    assert await store.deliveries.claim("w", after(3600), 30, 10) == []


async def test_two_deliveries_that_mean_the_same_act_once(store: Store) -> None:
    await record(store, 1)
    await record(store, 2)
    results = await asyncio.gather(*(settle(store, seq, "comment:5:created", jobs=(request(),)) for seq in (1, 2)))
    assert sorted(result.acted for result in results) == [False, True]
    assert len(await store.jobs.find(JobFilter())) == 1
    assert sorted(str(row.outcome) for row in await store.deliveries.recent(5)) == ["acted", "duplicate"]


async def test_a_delivery_settled_by_another_worker_is_not_settled_again(store: Store) -> None:
    await record(store, 1)
    assert (await settle(store, 1, jobs=(request(),))).acted
    assert not (await settle(store, 1, jobs=(request(),))).acted
    assert len(await store.jobs.find(JobFilter())) == 1


async def test_a_full_queue_settles_nothing(store: Store, url: str) -> None:
    small = await open_store(url, max_waiting=1)
    await record(store, 1)
    with pytest.raises(Refused) as caught:
        await settle(small.store, 1, "key", jobs=(request("one"), request("two")), answers=(answer("a"),))
    await small.close()
    assert (caught.value.code, caught.value.facts) == ("queue_full", {"limit": 1})
    assert await store.jobs.find(JobFilter()) == []
    assert not await store.deliveries.acted_on("key")
    assert (await settle(store, 1, "key", jobs=(request("one"),))).acted


async def test_the_head_of_a_pull_request_is_the_one_received_last(store: Store) -> None:
    await record(store, 1)
    await record(store, 2)
    late, early = HeadMove(API.id, 1, "b" * 40, after(1), 2), HeadMove(API.id, 1, "c" * 40, NOW, 1)
    await settle(store, 2, changes=(late,))
    await settle(store, 1, changes=(early,))
    assert await store.deliveries.latest_head(API.id, 1) == late
    assert await store.deliveries.latest_head(API.id, 2) is None


async def test_a_replayed_delivery_acts_again_and_answers_again(store: Store) -> None:
    await record(store, 1)
    await store.deliveries.claim("w", NOW, 30, 1)
    await settle(store, 1, "key", answers=(answer("a"),))
    [(row_id, _, _)] = await store.answers.due(NOW)
    await store.answers.sent(row_id, "told")
    assert await store.deliveries.replay(guid(1), NOW)
    assert not await store.deliveries.acted_on("key")
    [again] = await store.deliveries.claim("w", NOW, 30, 1)
    assert (await settle(store, again.seq, "key", answers=(answer("a"),))).acted
    assert len(await store.answers.due(NOW)) == 1


async def test_a_delivery_never_seen_cannot_be_replayed(store: Store) -> None:
    assert not await store.deliveries.replay(guid(404), NOW)
    assert await store.deliveries.find(guid(404)) is None


async def test_pruning_forgets_bodies_but_never_that_they_came(store: Store) -> None:
    await record(store, 1)
    await record(store, 2)
    await settle(store, 1)
    assert await store.deliveries.prune(after(1)) == 1
    assert await store.deliveries.prune(after(1)) == 0
    assert not await record(store, 1)
    assert not await store.deliveries.replay(guid(1), NOW)
    found = await store.deliveries.find(guid(2))
    assert found is not None
    assert found.body == BODY


async def test_the_list_of_deliveries_goes_back_page_by_page(store: Store) -> None:
    for number in range(5):
        await record(store, number)
    first = await store.deliveries.recent(2)
    assert [row.guid for row in first] == [guid(4), guid(3)]
    assert [row.guid for row in await store.deliveries.recent(10, first[-1].seq)] == [guid(2), guid(1), guid(0)]


async def test_an_answer_is_kept_once_and_sent_once(store: Store) -> None:
    await record(store, 1)
    await settle(store, 1, answers=(answer("a"), answer("a"), answer("b")))
    [(first, _, _), (second, _, _)] = await store.answers.due(NOW)
    await store.answers.sent(first, "comment 5")
    assert await store.answers.take(second, 0, after(5))
    await store.answers.postpone(second, after(60), "rate_limited")
    assert await store.answers.due(after(59)) == []
    assert [(each.key, attempts) for _, each, attempts in await store.answers.due(after(60))] == [("b", 1)]


async def test_an_answer_is_taken_by_one_of_two_and_due_again_when_its_taker_dies(store: Store) -> None:
    await record(store, 1)
    await settle(store, 1, answers=(answer("a"),))
    [(row_id, _, attempts)] = await store.answers.due(NOW)
    assert [await store.answers.take(row_id, attempts, after(5)) for _ in range(2)] == [True, False]
    assert await store.answers.due(after(4)) == []
    assert await store.answers.due(after(5)) == [(row_id, answer("a"), 1)]
    await store.answers.sent(row_id, "comment 5")
    assert not await store.answers.take(row_id, 1, after(5))
