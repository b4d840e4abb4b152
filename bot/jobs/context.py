"""What the code of one job is given: the job, its log, and a way to record facts under the worker's lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.clock import Clock
from bot.jobs.joblog import JobLog
from bot.masking import Masker
from bot.model import Event, EventType, Job, JobState, NewEvent, Stage
from bot.store.jobs import Jobs, NewRelease


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended. `release` went live, or the old release `activate` did."""

    state: JobState
    message: str
    result: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    release: NewRelease | None = None
    activate: int | None = None


@dataclass(slots=True)
class JobContext:
    """One job under one lease. Every write names the fence: a worker that lost the lease writes nothing more."""

    job: Job
    jobs: Jobs
    log: JobLog
    masker: Masker
    clock: Clock
    workdir: Path
    state: JobState
    facts: dict[Stage, dict[str, Any]]

    async def advance(self, state: JobState, stage: Stage, *events: NewEvent) -> list[Event]:
        """Go to `state` and `stage`, recording the events with it."""
        await self.log.flush()
        self.log.enter(stage)
        self.state = state
        return await self.jobs.advance(self.job.id, self.job.fence, state, stage, self._masked(events), self.clock())

    async def tell(self, type_: EventType, message: str, stage: Stage | None, /, **details: Any) -> None:
        """Record one fact."""
        await self.log.flush()
        event = NewEvent(type_, message, stage, details)
        await self.jobs.append(self.job.id, self.job.fence, self._masked([event]), self.clock())

    async def keep(self, stage: Stage, **facts: Any) -> None:
        """Remember facts of a stage, beside those it kept before, so that a resume finds them."""
        self.facts[stage] = {**self.facts.get(stage, {}), **facts}
        await self.jobs.keep_facts(self.job.id, self.job.fence, stage, self.facts[stage])

    async def tell_once(
        self, stage: Stage, events: Sequence[NewEvent] = (), lines: Sequence[str] = (), /, **facts: Any
    ) -> None:
        """Record events and lines of the log with the facts that say how far they go, in one transaction."""
        known = {**self.facts.get(stage, {}), **facts}
        told = [*await self.log.take(lines), *self._masked(events)]
        await self.jobs.append(self.job.id, self.job.fence, told, self.clock(), {stage: known})
        self.facts[stage] = known

    def known(self, stage: Stage, name: str) -> Any:
        """A fact an earlier stage, or an earlier attempt, kept; None when there is none."""
        return self.facts.get(stage, {}).get(name)

    def _masked(self, events: Sequence[NewEvent]) -> list[NewEvent]:
        mask = self.masker
        return [NewEvent(e.type, mask.mask(e.message), e.stage, mask.mask_value(e.details)) for e in events]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job cannot be completed; kept before anything is undone, so that a crash resumes the undoing."""

    state: JobState
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    by: str | None = None
    """Who cancelled it."""


class Work(Protocol):
    """One kind of job. Both calls may be repeated for the same job after a crash."""

    async def run(self, context: JobContext) -> Ending:
        """Do the work, from the stage where it stood. Raises what failed."""

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        """Put back what was changed and say how it ended."""
