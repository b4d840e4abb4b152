"""What a repository's overview shows: what is locked, what runs and waits, what serves where, and what ended last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.line import MOST_SHOWN, Place, places
from bot.live import Live, live_in
from bot.locks import Lock
from bot.model import FINAL_STATES, UNFINISHED, Job
from bot.store.audit import Audit
from bot.store.jobs import JobFilter, Jobs
from bot.store.locks import Locks
from bot.store.releases import Releases

PAGE = 25
"""Ended jobs on one page."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Where it is looked up."""

    jobs: Jobs
    releases: Releases
    locks: Locks
    audit: Audit


@dataclass(frozen=True, slots=True)
class Overview:
    """All of one repository, or what its environment `only` has of it; empty for one nobody knows."""

    name: str
    only: str | None = None
    locks: tuple[Lock, ...] = ()
    under_way: tuple[Place, ...] = ()
    """In the order they run, environment by environment; how long each waits is not told."""
    live: tuple[Live, ...] = ()
    ended: tuple[Job, ...] = ()
    """Newest first."""
    older: str | None = None
    """The job before which the next page of those that ended begins; None: there is none."""


async def overview_of(memory: Memory, name: str, only: str | None, before: str | None, now: datetime) -> Overview:
    """Of the repository that is called so (`owner/name`), or was; ended jobs from those `before` this one on.

    One query a list. Each list has an end: 500 unfinished jobs, 500 environments, 25 jobs that ended.
    """
    repository = await memory.jobs.called(name)
    if repository is None:
        return Overview(name, only, _covering(await memory.locks.named(name, now), only))
    unfinished = await memory.jobs.find(JobFilter(repository, only, states=UNFINISHED, limit=MOST_SHOWN))
    ended = await memory.jobs.find(
        JobFilter(repository, only, states=tuple(FINAL_STATES), before=before, limit=PAGE + 1)
    )
    return Overview(
        repository.full_name,
        only,
        _covering(await memory.locks.of(repository.id, now), only),
        tuple(_in_order(_alone(unfinished), now)),
        tuple(await live_in(memory.jobs, memory.releases, memory.audit, repository, only)),
        _alone(ended[:PAGE]),
        ended[PAGE - 1].id if len(ended) > PAGE else None,
    )


def _covering(locks: Sequence[Lock], only: str | None) -> tuple[Lock, ...]:
    return tuple(lock for lock in locks if only is None or lock.covers(only))


def is_about_one(job: Job) -> bool:
    """Whether it tells of no other repository than its own."""
    return all(one["name"] == job.repository.full_name for one in job.spec.get("targets", ()))


def _alone(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Without the analyses that are about other repositories too: who may see this one may not see those."""
    return tuple(filter(is_about_one, jobs))


def _in_order(newest_first: Sequence[Job], now: datetime) -> Iterator[Place]:
    """Lane by lane: the one that runs, those that wait, oldest first, and at last those that are held."""
    lanes: dict[str, list[Job]] = {}
    oldest_first = newest_first[::-1]
    for job in sorted(oldest_first, key=_standing):
        lanes.setdefault(job.lane, []).append(job)
    for _, lane in sorted(lanes.items()):
        standing = [job for job in lane if job.hold is None]
        yield from places(standing, None, now)
        yield from (Place(job, 0, None) for job in lane if job.hold is not None)


def _standing(job: Job) -> bool:
    """Whether it waits; a sort keeps the order of those that are equal."""
    return job.started_at is None
