"""Jobs that wait for people stand outside of their lane, are released once, and come back into line."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.approvals import Approve, EndHeld, Trust
from bot.errors import Refused
from bot.model import Hold, Job, JobRequest, JobState
from bot.store.changes import Settlement
from bot.store.store import Store
from storage.opened import OpenStore, open_store
from tests.migrated import put_database
from tests.storage.sample import NOW, after, claimed, ended, guid, request, started


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenStore]:
    store = await open_store(put_database(tmp_path / "shipmate.db"))
    yield store
    await store.close()


@pytest.fixture
def store(opened: OpenStore) -> Store:
    return opened.store


def held_request(approvals: int = 1, checks: tuple[str, ...] = ()) -> JobRequest:
    return dataclasses.replace(request(), hold=Hold(after(3600), approvals, ("acme/sre",), checks))


def approve(job: Job, by: int, sha: str | None = None) -> Approve:
    return Approve(job.id, sha or job.sha, f"person {by}", by, "comment")


async def say(store: Store, number: int, given: Approve | Trust | EndHeld) -> None:
    """Settle a delivery that leads to this."""
    await store.deliveries.record(guid(number), "issue_comment", b"{}", NOW)
    (delivery,) = await store.deliveries.claim("w", NOW, 10, 1)
    await store.deliveries.settle(delivery.seq, Settlement("acted", "approved", changes=(given,)), NOW)


async def test_a_held_job_is_not_run_and_lets_the_others_of_its_lane_pass(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    other = await store.jobs.create(request(), NOW)
    assert await store.jobs.ahead_in_lane(other) == 0
    assert (await ended(store.jobs)).id == other.id
    assert await store.jobs.claim("w", NOW, 10) is None
    assert [job.id for job in await store.jobs.held()] == [held.id]
    assert held.hold == Hold(after(3600), 1, ("acme/sre",))


async def test_the_last_approval_that_was_missing_releases_it(store: Store) -> None:
    held = await store.jobs.create(held_request(approvals=2), NOW)
    await say(store, 1, approve(held, by=1))
    assert await store.jobs.claim("w", NOW, 10) is None
    await say(store, 2, approve(held, by=2))
    assert (await claimed(store.jobs)).id == held.id
    assert [one.actor_id for one in await store.approvals.given(held.id)] == [1, 2]


async def test_nobody_approves_twice(store: Store) -> None:
    held = await store.jobs.create(held_request(approvals=2), NOW)
    await say(store, 1, approve(held, by=1))
    with pytest.raises(Refused, match="approved_already"):
        await say(store, 2, approve(held, by=1))
    assert await store.jobs.claim("w", NOW, 10) is None


async def test_an_approval_of_another_commit_is_none(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    with pytest.raises(Refused, match="approval_for_other_commit"):
        await say(store, 1, approve(held, by=1, sha="b" * 40))
    assert await store.approvals.given(held.id) == []
    assert await store.jobs.claim("w", NOW, 10) is None


async def test_two_approvals_at_the_same_instant_on_two_servers_release_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shipmate.db"
    one, two = await open_store(url), await open_store(url)
    try:
        held = await one.store.jobs.create(held_request(), NOW)
        for number in (1, 2):
            await one.store.deliveries.record(guid(number), "issue_comment", b"{}", NOW)
        deliveries = await one.store.deliveries.claim("w", NOW, 10, 2)
        settlements = [
            Settlement("acted", "approved", changes=(approve(held, by=delivery.seq),)) for delivery in deliveries
        ]
        results = await asyncio.gather(
            *(
                server.store.deliveries.settle(delivery.seq, settlement, NOW)
                for server, delivery, settlement in zip((one, two), deliveries, settlements, strict=True)
            ),
            return_exceptions=True,
        )
        assert sorted(getattr(result, "code", "acted") for result in results) == ["acted", "approval_over"]
        story = [event.type.value for event in await one.store.jobs.story(held.id)]
        assert story == ["JobQueued", "JobHeld", "JobApproved", "JobReleased"]
    finally:
        await one.close()
        await two.close()


async def test_released_while_another_runs_it_waits_for_its_turn(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    running = await store.jobs.create(request(), NOW)
    waiting = await store.jobs.create(request(), NOW)
    taken = await started(store.jobs)
    assert taken.id == running.id
    await say(store, 1, approve(held, by=1))
    assert await store.jobs.claim("other", NOW, 10) is None
    assert [await store.jobs.ahead_in_lane(job) for job in (held, waiting)] == [1, 2]
    await store.jobs.ask_cancel(waiting.id, "alice", NOW)
    assert await store.jobs.claim("other", NOW, 10) is None
    await store.jobs.finish(taken.id, taken.fence, JobState.COMPLETED, [], NOW, result={})
    assert (await claimed(store.jobs)).id == held.id


async def test_a_job_that_waits_for_checks_too_needs_both(store: Store) -> None:
    held = await store.jobs.create(held_request(checks=("test",)), NOW)
    await say(store, 1, approve(held, by=1))
    assert await store.jobs.claim("w", NOW, 10) is None
    assert await store.jobs.checks_passed(held.id, NOW)
    assert (await claimed(store.jobs)).id == held.id
    assert not await store.jobs.checks_passed(held.id, NOW)


async def test_a_held_job_can_be_cancelled_and_is_then_over(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    cancelled = await store.jobs.ask_cancel(held.id, "alice", NOW)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    with pytest.raises(Refused, match="approval_over"):
        await say(store, 1, approve(held, by=1))
    assert await store.jobs.held() == []


async def test_a_newer_push_replaces_one_that_is_held(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    await store.jobs.create(request(supersedes=True), NOW)
    found = await store.jobs.get(held.id)
    assert found is not None
    assert found.state is JobState.SUPERSEDED


async def test_one_that_nobody_approved_ends_and_one_that_runs_does_not(store: Store) -> None:
    held = await store.jobs.create(held_request(), NOW)
    released = await store.jobs.create(held_request(), NOW)
    await say(store, 1, approve(released, by=1))
    assert await store.jobs.end_held(EndHeld(held.id, "approval_expired", "nobody came"), NOW)
    assert not await store.jobs.end_held(EndHeld(released.id, "approval_expired", "nobody came"), NOW)
    found = await store.jobs.get(held.id)
    assert found is not None
    assert (found.state, found.error_code) == (JobState.TIMED_OUT, "approval_expired")


async def test_trust_in_a_commit_is_for_that_commit_of_that_repository(store: Store) -> None:
    await say(store, 1, Trust(7, 5, "a" * 40, "carol", 3))
    assert await store.approvals.trusted_pull(7, "a" * 40) == 5
    assert await store.approvals.trusted_pull(7, "b" * 40) is None
    assert await store.approvals.trusted_pull(8, "a" * 40) is None


async def test_one_that_comes_after_another_job_waits_for_it_whoever_approves(store: Store) -> None:
    first = await store.jobs.create(request(), NOW)
    hold = Hold(after(3600), 1, ("acme/sre",), after=first.id)
    held = await store.jobs.create(dataclasses.replace(request(), hold=hold), NOW)
    await say(store, 1, approve(held, by=1))
    assert [job.id for job in await store.jobs.held()] == [held.id]
    assert await store.jobs.turn_came(held.id, NOW)
    assert not await store.jobs.turn_came(held.id, NOW)
    assert await store.jobs.held() == []
