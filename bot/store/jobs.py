"""Durable jobs: their leases, events and approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.approvals import Approval, EndHeld
from bot.audit import AuditEntry
from bot.model import Event, Job, JobKind, JobRequest, JobState, NewEvent, Repository, Stage


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any. `within` are repositories as keys are limited to them; none means any."""

    repository: Repository | None = None
    """By its number, whatever it was called when a job was asked for; by its name where it has none (0)."""
    environment: str | None = None
    kind: JobKind | None = None
    states: tuple[JobState, ...] = ()
    pull_number: int | None = None
    sha: str | None = None
    within: tuple[str, ...] = ()
    before: str | None = None
    """Cursor: list jobs created before this job id."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class NewRelease:
    """What `finish` records when an image went live."""

    repository_id: int
    environment: str
    job_id: str
    sha: str
    image: str
    instance_id: str
    spec: Mapping[str, Any]


class Jobs(Protocol):
    """Durable jobs, their leases and their events. Writes under an old fence raise LeaseLost."""

    async def create(self, request: JobRequest, now: datetime, audit: Sequence[AuditEntry] = ()) -> Job:
        """The audit trail is told `audit`, or else that it was asked for, in the same transaction.

        May be repeated: what was made of a request's id before is answered as it is now.
        Raises Refused("queue_full", limit=…) when more wait than allowed.
        """

    async def get(self, job_id: str) -> Job | None: ...

    async def several(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of them that are there, by their ids."""

    async def find(self, which: JobFilter) -> list[Job]:
        """Newest first."""

    async def called(self, name: str) -> Repository | None:
        """The repository that was called so (`owner/name`, without case) when a job was last asked for there.

        By the name it has now; None where no job knows the name, and GitHub told none of a rename.
        """

    async def named_now(self, repository: Repository) -> Repository:
        """The same by the name it has now, as far as is known."""

    async def claim(self, worker: str, now: datetime, lease_s: float, only: str | None = None) -> Job | None:
        """Lease the oldest runnable job whose lane is idle, or just `only`; a lapsed lease can be claimed again."""

    async def heartbeat(self, job_id: str, fence: int, now: datetime, lease_s: float) -> datetime:
        """Until when the lease holds now."""

    async def lease_owners(self) -> list[str]:
        """The workers that hold a lease on an unfinished job or delivery."""

    async def lapse(self, worker: str) -> int:
        """End every lease of a worker known to be dead, so that its jobs and deliveries resume at once; answers how
        many jobs."""

    async def give_back(self, job_id: str, fence: int) -> None:
        """End the lease now, so that another worker resumes at once. Repeatable."""

    async def advance(
        self, job_id: str, fence: int, state: JobState, stage: Stage | None, events: Sequence[NewEvent], now: datetime
    ) -> list[Event]:
        """Move on and record the events, in one transaction. Raises ValueError when the state may not follow."""

    async def append(
        self,
        job_id: str,
        fence: int,
        events: Sequence[NewEvent],
        now: datetime,
        facts: Mapping[Stage, Mapping[str, Any]] | None = None,
    ) -> list[Event]:
        """Record events, and what stages remember by them, in one transaction."""

    async def keep_facts(self, job_id: str, fence: int, stage: Stage, facts: Mapping[str, Any]) -> None:
        """Remember what a stage found or is about to change, for a resume."""

    async def facts(self, job_id: str) -> dict[Stage, dict[str, Any]]: ...

    async def finish(
        self,
        job_id: str,
        fence: int,
        state: JobState,
        events: Sequence[NewEvent],
        now: datetime,
        *,
        result: Mapping[str, Any],
        error_code: str | None = None,
        error_message: str | None = None,
        release: NewRelease | None = None,
        activate: int | None = None,
    ) -> None:
        """The end: state, events, result, and the release that is live now, in one transaction. Idle lane after it.

        `release` records a new release and makes it the active one; `activate` makes an old release (its id) active.
        """

    async def ask_cancel(self, job_id: str, by: str, now: datetime) -> Job | None:
        """A waiting job ends at once; a running one sees it when it looks. None when unknown."""

    async def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[Event]: ...

    async def story(self, job_id: str) -> list[Event]:
        """Every event but the log's, oldest first."""

    async def log_tail(self, job_id: str, lines: int, stage: Stage | None = None) -> list[str]:
        """The last lines of the log, or of what one stage wrote of it."""

    async def last_seq(self, job_id: str) -> int: ...

    async def unfinished_in(self, repository_id: int, environment: str) -> list[str]:
        """Ids of the jobs of an environment that have not ended."""

    async def held(self) -> list[Job]:
        """Jobs that wait for approvals or checks, outside of their lanes, oldest first."""

    async def checks_passed(self, job_id: str, now: datetime) -> bool:
        """A held job waits for checks no more; it may run unless approvals are missing. False when it did not wait."""

    async def turn_came(self, job_id: str, now: datetime) -> bool:
        """The job it came after is completed; it may run unless more is missing. False when it came after none."""

    async def end_held(self, end: EndHeld, now: datetime) -> bool:
        """End a job that is still held. False when it is not."""

    async def line(self, lane: str, limit: int = 500) -> list[Job]:
        """The first that stand in a lane, in the order they run; held jobs do not stand there."""

    async def lane_seconds(self, lane: str, limit: int = 20) -> list[float]:
        """How long the last jobs of a lane took from their start to their end, in seconds, newest first."""

    async def ahead_in_lane(self, job: Job) -> int:
        """How many unfinished jobs stand before it in its lane."""


class Approvals(Protocol):
    """Who approved which job, and which commits of forks are trusted."""

    async def given(self, job_id: str) -> list[Approval]:
        """Oldest first; whether they are of the job's commit is the reader's to compare."""

    async def trusted_pull(self, repository_id: int, sha: str) -> int | None:
        """The fork's pull request of which a maintainer approved this very commit; None: nobody did."""
