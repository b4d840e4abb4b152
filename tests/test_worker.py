"""A worker brings every job to a final state: through cancels, limits, passing faults, crashes and its own bugs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import utc_now
from bot.errors import LeaseLost, Permanent, Refused, Transient
from bot.jobs.context import Ending, Failure, JobContext
from bot.masking import Masker
from bot.model import (
    EventType,
    Job,
    JobKind,
    JobRequest,
    JobState,
    NewEvent,
    Origin,
    Repository,
    Stage,
)
from bot.tenure import Limits, Means
from bot.worker import Worker
from storage.opened import OpenStore, open_store
from tests.migrated import put_database

REPOSITORY = Repository(7, "acme/api")


def a_request(lane: str = "deploy 7 production", face: str = "comment", **more: Any) -> JobRequest:
    origin = Origin(face, "alice", 1)
    return JobRequest(JobKind.DEPLOY, lane, REPOSITORY, "a" * 40, "main", "production", origin, **more)


@dataclass
class Scripted:
    """Work that does what the test says, and notes what was asked of it."""

    act: Callable[[JobContext], Any]
    undone: list[Failure] = field(default_factory=list)
    runs: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    undo_act: Callable[[JobContext], Any] | None = None

    async def run(self, context: JobContext) -> Ending:
        self.runs += 1
        self.begun.set()
        await context.advance(JobState.BUILDING, Stage.BUILD)
        found = self.act(context)
        if asyncio.iscoroutine(found):
            found = await found
        return found if isinstance(found, Ending) else Ending(JobState.COMPLETED, "done")

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        self.undone.append(failure)
        if self.undo_act:
            found = self.undo_act(context)
            if asyncio.iscoroutine(found):
                await found
        return Ending(failure.state, "undone", error_code=failure.code)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenStore]:
    store = await open_store(put_database(tmp_path / "shipmate.db"))
    yield store
    await store.close()


@asynccontextmanager
async def working(
    opened: OpenStore, tmp_path: Path, work: Scripted, *, name: str = "elsewhere:1:1", limits: Limits | None = None
) -> AsyncIterator[Worker]:
    means = Means(name, opened.store.jobs, {JobKind.DEPLOY: work}, Masker(), utc_now, tmp_path, limits or Limits())
    worker = Worker(means, opened.database.watch().wait)
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await asyncio.wait_for(task, 20)


async def ended(opened: OpenStore, job: Job) -> Job:
    async with asyncio.timeout(30):
        while True:
            found = await opened.store.jobs.get(job.id)
            assert found is not None
            if found.state.is_final:
                return found
            await asyncio.sleep(0.02)


async def story(opened: OpenStore, job: Job) -> list[EventType]:
    return [event.type for event in await opened.store.jobs.story(job.id)]


async def test_a_job_runs_to_its_end_and_its_events_have_no_gaps(opened: OpenStore, tmp_path: Path) -> None:
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, Scripted(lambda context: context.log.line("hello"))):
        done = await ended(opened, job)
    events = await opened.store.jobs.events(job.id)
    assert done.state is JobState.COMPLETED
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type is EventType.JOB_ENDED
    assert await opened.store.jobs.log_tail(job.id, 5) == ["hello"]


async def test_a_cancel_stops_the_work_and_undoes_it(opened: OpenStore, tmp_path: Path) -> None:
    stopped = asyncio.Event()

    async def forever(context: JobContext) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    work = Scripted(forever)
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work):
        await work.begun.wait()
        await opened.store.jobs.ask_cancel(job.id, "bob", utc_now())
        done = await ended(opened, job)
    assert stopped.is_set()
    assert (done.state, work.undone[0].by) == (JobState.CANCELLED, "bob")


async def test_a_waiting_job_is_cancelled_without_ever_running(opened: OpenStore, tmp_path: Path) -> None:
    job = await opened.store.jobs.create(a_request(), utc_now())
    await opened.store.jobs.ask_cancel(job.id, "bob", utc_now())
    work = Scripted(lambda context: None)
    async with working(opened, tmp_path, work):
        assert (await ended(opened, job)).state is JobState.CANCELLED
    assert work.runs == 0


async def test_a_job_over_its_limit_is_timed_out_and_undone(opened: OpenStore, tmp_path: Path) -> None:
    work = Scripted(lambda context: asyncio.sleep(3600))
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work, limits=Limits(job_s=0.3)):
        done = await ended(opened, job)
    assert (done.state, done.error_code) == (JobState.TIMED_OUT, "job_timeout")
    assert len(work.undone) == 1


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (Permanent("build_failed", message="x"), JobState.FAILED, "build_failed"),
        (Permanent("stage_timeout", stage=1, seconds=1, limit_s=1), JobState.TIMED_OUT, "stage_timeout"),
        (Refused("fork"), JobState.FAILED, "fork"),
        (RuntimeError("a bug"), JobState.FAILED, "unexpected_error"),
        (TimeoutError("of something it asked, not of the job"), JobState.FAILED, "unexpected_error"),
        (MemoryError(), JobState.FAILED, "unexpected_error"),
    ],
)
async def test_whatever_the_work_raises_becomes_a_final_state(
    opened: OpenStore, tmp_path: Path, error: Exception, state: JobState, code: str
) -> None:
    def fail(context: JobContext) -> None:
        raise error

    work = Scripted(fail)
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work):
        done = await ended(opened, job)
    assert (done.state, done.error_code) == (state, code)
    assert work.undone[0].code == code


async def test_a_passing_fault_is_tried_again(opened: OpenStore, tmp_path: Path) -> None:
    def fail_once(context: JobContext) -> None:
        if work.runs == 1:
            raise Transient("engine_unavailable", retry_after_s=0.01)

    work = Scripted(fail_once)
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work):
        assert (await ended(opened, job)).state is JobState.COMPLETED
    assert work.runs == 2


async def test_a_failed_undo_is_told_and_never_passed_off_as_done(opened: OpenStore, tmp_path: Path) -> None:
    def fail(context: JobContext) -> None:
        raise Permanent("instance_gone", instance="x")

    work = Scripted(fail, undo_act=fail)
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work):
        done = await ended(opened, job)
    assert (done.state, done.error_code) == (JobState.FAILED, "undo_failed")
    assert done.error_message


async def test_a_job_of_a_worker_that_died_is_resumed_at_its_stage(opened: OpenStore, tmp_path: Path) -> None:
    jobs = opened.store.jobs
    job = await jobs.create(a_request(), utc_now())
    long_ago = utc_now() - timedelta(minutes=5)
    claimed = await jobs.claim("dead:1:1", long_ago, 10)
    assert claimed is not None
    await jobs.advance(job.id, claimed.fence, JobState.PROCESSING, None, [], long_ago)
    await jobs.advance(job.id, claimed.fence, JobState.BUILDING, Stage.BUILD, [], long_ago)
    await jobs.keep_facts(job.id, claimed.fence, Stage.BUILD, {"image_id": "sha256:1"})
    seen: list[Any] = []
    async with working(opened, tmp_path, Scripted(lambda c: seen.append(c.known(Stage.BUILD, "image_id")))):
        assert (await ended(opened, job)).state is JobState.COMPLETED
    assert seen == ["sha256:1"]
    assert EventType.JOB_RESUMED in await story(opened, job)
    with pytest.raises(LeaseLost):
        await jobs.append(job.id, claimed.fence, [], utc_now())


async def test_lines_told_once_come_after_those_that_waited_and_are_masked(opened: OpenStore, tmp_path: Path) -> None:
    async def work(context: JobContext) -> None:
        context.masker.register("hunter2-hunter2")
        context.log.line("first")
        event = NewEvent(EventType.STAGE_PROGRESSED, "with hunter2-hunter2", Stage.BUILD)
        await context.tell_once(Stage.BUILD, [event], ["second", "is hunter2-hunter2"], mark=2)
        assert context.known(Stage.BUILD, "mark") == 2

    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, Scripted(work)):
        assert (await ended(opened, job)).state is JobState.COMPLETED
    assert await opened.store.jobs.log_tail(job.id, 10) == ["first", "second", "is ***"]
    assert "hunter2" not in str(await opened.store.jobs.events(job.id))


async def test_a_crash_while_undoing_resumes_the_undoing_not_the_work(opened: OpenStore, tmp_path: Path) -> None:
    jobs = opened.store.jobs
    job = await jobs.create(a_request(), utc_now())
    long_ago = utc_now() - timedelta(minutes=5)
    claimed = await jobs.claim("dead:1:1", long_ago, 10)
    assert claimed is not None
    await jobs.advance(job.id, claimed.fence, JobState.PROCESSING, None, [], long_ago)
    failure = {"state": "FAILED", "code": "build_failed", "facts": {"message": "x"}, "by": None}
    await jobs.keep_facts(job.id, claimed.fence, Stage.COMPLETE, {"failure": failure})
    work = Scripted(lambda context: None)
    async with working(opened, tmp_path, work):
        done = await ended(opened, job)
    assert (done.state, done.error_code, work.runs) == (JobState.FAILED, "build_failed", 0)


async def test_stopping_the_worker_hands_its_jobs_back_at_once(opened: OpenStore, tmp_path: Path) -> None:
    work = Scripted(lambda context: asyncio.sleep(3600))
    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, work):
        await work.begun.wait()
    found = await opened.store.jobs.get(job.id)
    assert found is not None
    assert (found.state, found.lease_owner) == (JobState.BUILDING, None)
    assert work.undone == []
    async with working(opened, tmp_path, Scripted(lambda context: None), name="other:1:1"):
        assert (await ended(opened, job)).state is JobState.COMPLETED


async def test_no_more_jobs_run_at_once_than_allowed_and_one_lane_runs_one(opened: OpenStore, tmp_path: Path) -> None:
    running: set[str] = set()
    most: list[int] = []

    async def watch(context: JobContext) -> None:
        running.add(context.job.id)
        most.append(len(running))
        await asyncio.sleep(0.05)
        running.discard(context.job.id)

    jobs = [await opened.store.jobs.create(a_request(f"lane {number % 6}"), utc_now()) for number in range(18)]
    async with working(opened, tmp_path, Scripted(watch), limits=Limits(at_once=4)):
        for job in jobs:
            assert (await ended(opened, job)).state is JobState.COMPLETED
    assert max(most) <= 4


async def test_a_newer_push_replaces_one_that_waits_but_not_what_a_person_asked_for(
    opened: OpenStore, tmp_path: Path
) -> None:
    jobs = opened.store.jobs
    first = await jobs.create(a_request(face="push", supersedes_waiting=True), utc_now())
    asked = await jobs.create(a_request(), utc_now())
    second = await jobs.create(a_request(face="push", supersedes_waiting=True), utc_now())
    async with working(opened, tmp_path, Scripted(lambda context: None)):
        states = [(await ended(opened, job)).state for job in (first, asked, second)]
    assert states == [JobState.SUPERSEDED, JobState.COMPLETED, JobState.COMPLETED]


async def test_a_flood_of_log_is_kept_within_its_limit_with_its_last_lines(opened: OpenStore, tmp_path: Path) -> None:
    def flood(context: JobContext) -> None:
        for number in range(100_000):
            context.log.line(f"{number} " + "x" * 1000)

    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, Scripted(flood)):
        assert (await ended(opened, job)).state is JobState.COMPLETED
    tail = await opened.store.jobs.log_tail(job.id, 1)
    kept = sum(len(str(event.details)) for event in await opened.store.jobs.events(job.id, limit=100_000))
    assert tail[0].startswith("99999 ")
    assert kept < 6 * 1024 * 1024


async def test_a_secret_that_the_build_prints_is_never_stored(opened: OpenStore, tmp_path: Path) -> None:
    def leak(context: JobContext) -> None:
        context.masker.register("hunter2hunter2")
        context.log.line("password=hunter2hunter2")
        raise Permanent("build_failed", message="it printed hunter2hunter2")

    job = await opened.store.jobs.create(a_request(), utc_now())
    async with working(opened, tmp_path, Scripted(leak)):
        done = await ended(opened, job)
    told = str([event.details for event in await opened.store.jobs.events(job.id)]) + str(done)
    assert "hunter2" not in told
