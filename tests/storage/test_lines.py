"""The line of a lane: those behind are told when it moves, the first of them, and once."""

from __future__ import annotations

from bot.model import EventType
from bot.store.store import Store
from storage.jobs.lines import TOLD
from tests.storage.sample import NOW, after, ended, request, started


async def moves(store: Store, job_id: str) -> list[int]:
    """The places a job was told, oldest first."""
    story = await store.jobs.story(job_id)
    return [event.details["ahead"] for event in story if event.type is EventType.LINE_MOVED]


async def test_each_who_waits_is_told_their_new_place_when_the_first_one_ends(store: Store) -> None:
    jobs = [await store.jobs.create(request(), NOW) for _ in range(4)]
    await ended(store.jobs)
    assert [await moves(store, job.id) for job in jobs] == [[], [], [1], [2]]
    assert [job.id for job in await store.jobs.line(jobs[0].lane)] == [job.id for job in jobs[1:]]


async def test_when_one_in_the_middle_gives_up_only_those_behind_are_told(store: Store) -> None:
    jobs = [await store.jobs.create(request(), NOW) for _ in range(4)]
    await store.jobs.ask_cancel(jobs[2].id, "alice", NOW)
    assert [await moves(store, job.id) for job in jobs] == [[], [], [], [2]]


async def test_a_long_line_tells_its_front_alone(store: Store) -> None:
    jobs = [await store.jobs.create(request(), NOW) for _ in range(TOLD + 10)]
    await ended(store.jobs)
    told = [bool(await moves(store, job.id)) for job in jobs]
    assert told == [False] * 2 + [True] * TOLD + [False] * 8


async def test_other_lanes_are_told_nothing(store: Store) -> None:
    await store.jobs.create(request(), NOW)
    other = [await store.jobs.create(request("another lane"), NOW) for _ in range(2)]
    await ended(store.jobs)
    assert [await moves(store, job.id) for job in other] == [[], []]


async def test_the_time_a_lane_takes_is_that_of_its_jobs_that_ran_newest_first(store: Store) -> None:
    lane = request().lane
    assert await store.jobs.lane_seconds(lane) == []
    for seconds in (5, 7):
        await store.jobs.create(request(), NOW)
        job = await started(store.jobs)
        await store.jobs.finish(job.id, job.fence, job.state.COMPLETED, [], after(seconds), result={})
    waiting = await store.jobs.create(request(), NOW)
    await store.jobs.ask_cancel(waiting.id, "alice", NOW)
    assert await store.jobs.lane_seconds(lane) == [7, 5]
    assert await store.jobs.lane_seconds(lane, 1) == [7]
