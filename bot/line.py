"""The line of a lane: who stands at which place, and how long it will be by what the last jobs there took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bot.model import UNFINISHED, Job, Repository
from bot.store.jobs import JobFilter, Jobs

MOST_SHOWN = 500
"""Jobs of a repository that are looked at for its lines."""


@dataclass(frozen=True, slots=True)
class Place:
    """One job in its line. `ahead` 0: it runs, or is about to."""

    job: Job
    ahead: int
    wait: timedelta | None
    """How long until it starts; None: nothing has run there yet, so nobody knows."""


@dataclass(frozen=True, slots=True)
class Line:
    """All that stands before one environment, in order; `usual` is how long a job there takes."""

    environment: str
    places: tuple[Place, ...]
    held: tuple[Job, ...]
    """Those that wait for approvals or checks, outside of the line."""
    usual: timedelta | None


async def place_of(jobs: Jobs, job: Job, now: datetime) -> Place:
    """Where a job stands that has not started; once it has, there is nothing to wait for."""
    if job.started_at is not None or job.hold is not None:
        return Place(job, 0, timedelta())
    ahead, usual = await jobs.ahead_in_lane(job), usual_of(await jobs.lane_seconds(job.lane))
    first = await jobs.line(job.lane, 1)
    return Place(job, ahead, _wait(ahead, _left(first[0], usual, now) if first else None, usual))


async def lines(jobs: Jobs, repository: Repository, environment: str | None, now: datetime) -> list[Line]:
    """The lines of a repository's environments where somebody stands, by name."""
    which = JobFilter(repository, environment, states=UNFINISHED, limit=MOST_SHOWN)
    busy = [job for job in await jobs.find(which) if job.environment]
    names = sorted({job.environment for job in busy})
    return [await _line(jobs, name, [job for job in busy if job.environment == name], now) for name in names]


async def _line(jobs: Jobs, name: str, busy: Sequence[Job], now: datetime) -> Line:
    lane = busy[0].lane
    usual = usual_of(await jobs.lane_seconds(lane))
    held = tuple(job for job in reversed(busy) if job.hold is not None)
    return Line(name, tuple(places(await jobs.line(lane), usual, now)), held, usual)


def places(line: Sequence[Job], usual: timedelta | None, now: datetime) -> list[Place]:
    """Everyone's place and wait, of a line in its order."""
    left = _left(line[0], usual, now) if line else None
    return [Place(job, ahead, _wait(ahead, left, usual)) for ahead, job in enumerate(line)]


def _wait(ahead: int, left: timedelta | None, usual: timedelta | None) -> timedelta | None:
    """The rest of the first one's time, and the usual time of each between."""
    if ahead == 0:
        return timedelta()
    return None if left is None or usual is None else left + usual * (ahead - 1)


def usual_of(seconds: Sequence[float]) -> timedelta | None:
    """The median of what the last jobs took, in seconds; None without any."""
    return timedelta(seconds=median(seconds)) if seconds else None


def _left(first: Job, usual: timedelta | None, now: datetime) -> timedelta | None:
    """How much longer the first one will take; one that is over its time may end any moment."""
    if usual is None:
        return None
    gone = now - first.started_at if first.started_at else timedelta()
    return max(usual - gone, timedelta())
