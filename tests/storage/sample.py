"""Requests, events and times as the tests of the store use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model import EventType, Job, JobKind, JobRequest, JobState, NewEvent, Origin, Repository
from bot.store.jobs import Jobs, NewRelease

SECRET_KEY = b"a key for tests"
NOW = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
LEASE_S = 10.0
API = Repository(7, "acme/api")
STARTED = NewEvent(EventType.JOB_STARTED, "Started")
ENDED = NewEvent(EventType.JOB_ENDED, "Ended")
LOG = NewEvent(EventType.LOG_WRITTEN, "a line")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def guid(number: int) -> str:
    return f"72d3162e-cc78-11e3-81ab-{number:012x}"


def request(
    lane: str = "deploy acme/api production",
    *,
    face: str = "push",
    kind: JobKind = JobKind.DEPLOY,
    environment: str = "production",
    pull_number: int | None = None,
    supersedes: bool = False,
    repository: Repository = API,
) -> JobRequest:
    origin = Origin(face, "alice", 99, pull_number=pull_number)
    spec = {"port": 8080, "env": {"GREETING": "안녕"}}
    return JobRequest(kind, lane, repository, "a" * 40, "main", environment, origin, spec, supersedes)


def release(job: Job, image: str = "sha256:1") -> NewRelease:
    return NewRelease(job.repository.id, job.environment, job.id, job.sha, image, f"of {job.id}", {"env": {"A": "1"}})


async def claimed(jobs: Jobs, worker: str = "w", at: datetime = NOW) -> Job:
    """A job that must be there to be claimed."""
    job = await jobs.claim(worker, at, LEASE_S)
    assert job is not None
    return job


async def started(jobs: Jobs, worker: str = "w", at: datetime = NOW) -> Job:
    """A claimed job that its worker took up."""
    job = await claimed(jobs, worker, at)
    await jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [STARTED], at)
    return job


async def ended(jobs: Jobs, state: JobState = JobState.COMPLETED, new: NewRelease | None = None) -> Job:
    """The next job, brought to an end."""
    job = await started(jobs)
    await jobs.finish(job.id, job.fence, state, [ENDED], NOW, result={}, release=new)
    return job
