"""One job under one lease: kept within its limits, heard when it is to stop, and brought to a final state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import messages
from bot.clock import Clock
from bot.errors import LeaseLost, ShipmateError, Transient
from bot.jobs.context import Ending, Failure, JobContext, Work
from bot.jobs.joblog import JobLog
from bot.masking import Masker
from bot.model import EventType, Job, JobKind, JobState, NewEvent, Stage
from bot.store.jobs import Jobs

LEASE_S = 12.0
HEARTBEAT_S = 3.0
CANCEL_LOOK_S = 0.4
UNDO_LIMIT_S = 180.0
PLATFORM_UNDO_LIMIT_S = 900.0
"""A platform lets what it takes back finish its requests first, for minutes, before it says that it is back."""
TRIES = 4
"""How often a job is taken up again after failures that may pass, within one lease."""

log = logging.getLogger("shipmate.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may do: jobs at once, and seconds a whole job, and the undoing of one, may take."""

    at_once: int = 10
    job_s: float = 1800.0
    undo_s: float = UNDO_LIMIT_S


def _untold(job: Job, state: JobState) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker of this `name` works with. `told` hears of each job's start and end, in this process."""

    name: str
    jobs: Jobs
    work: Mapping[JobKind, Work]
    masker: Masker
    clock: Clock
    workdir: Path
    limits: Limits = Limits()
    told: Callable[[Job, JobState], None] = _untold
    locale: str = "en"


class TimeIsOver(Exception):
    """The work took longer than it may."""


class _CancelAsked(Exception):
    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


class Tenure:
    """One job under one lease: its heartbeat, its limits, its log, and its end."""

    def __init__(self, means: Means, job: Job) -> None:
        self._means = means
        self._job = job
        self._folder = means.workdir / "jobs" / job.id
        self._log = JobLog(self._append, means.masker)

    async def run(self) -> None:
        """Bring the job to its end. Raises LeaseLost, and what the store raises when the end cannot be kept."""
        context = await self._context()
        keepers = [asyncio.create_task(self._log.run()), asyncio.create_task(self._beat())]
        try:
            ending = await self._ending(context, keepers[1])
            await self._finish(context, ending)
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _context(self) -> JobContext:
        means, job = self._means, self._job
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        facts = await means.jobs.facts(job.id)
        context = JobContext(job, means.jobs, self._log, means.masker, means.clock, self._folder, job.state, facts)
        if job.state is JobState.PENDING:
            started = NewEvent(EventType.JOB_STARTED, f"Started by {means.name.partition(':')[0]}")
            await means.jobs.advance(job.id, job.fence, JobState.PROCESSING, None, [started], means.clock())
            context.state = JobState.PROCESSING
            context.job = replace(job, state=JobState.PROCESSING, started_at=means.clock())
        else:
            await context.tell(EventType.JOB_RESUMED, "Resumed after an interruption", job.stage)
        means.told(job, context.state)
        return context

    async def _ending(self, context: JobContext, beat: asyncio.Task[None]) -> Ending:
        """Run the work; on failure remember why, then undo."""
        work = self._means.work[self._job.kind]
        failure = _kept_failure(context)
        if failure is None:
            try:
                return await self._guarded(self._retried(lambda: work.run(context)), beat, self._left_s(context))
            except (LeaseLost, asyncio.CancelledError):
                raise
            except BaseException as error:  # noqa: BLE001  the one broad except: every failure becomes a final state
                failure = self._failure(error)
            await self._log.flush()
            await context.keep(Stage.COMPLETE, failure=asdict(failure))
        return await self._undone(work, context, failure, beat)

    async def _undone(self, work: Work, context: JobContext, failure: Failure, beat: asyncio.Task[None]) -> Ending:
        try:
            undoing = self._retried(lambda: work.undo(context, failure))
            return await self._guarded(undoing, beat, self._means.limits.undo_s, may_cancel=False)
        except (LeaseLost, asyncio.CancelledError):
            raise
        except Exception as error:  # a failed undo must be told, never passed off as done
            log.exception("undoing failed", extra={"job": self._job.id})
            facts = {**failure.facts, "undo": type(error).__name__}
            sentence = self._why_not_undone(error, facts)
            result = {"failure": facts, "reason": failure.code}
            return Ending(failure.state, sentence, result, "undo_failed", sentence)

    def _why_not_undone(self, error: Exception, facts: Mapping[str, Any]) -> str:
        """That putting things back failed, and why where that is known."""
        said = messages.failure(self._means.locale, "undo_failed", facts)
        if not isinstance(error, ShipmateError):
            return said
        return f"{said} {messages.failure(self._means.locale, error.code, error.facts)}"

    async def _guarded(
        self, doing: Awaitable[Ending], beat: asyncio.Task[None], limit_s: float, *, may_cancel: bool = True
    ) -> Ending:
        """Await the work beside the heartbeat, the cancel watch and the limit; whatever ends first decides."""
        task = asyncio.ensure_future(doing)
        watch = asyncio.create_task(self._watch_for_cancel()) if may_cancel else None
        others = {beat} | ({watch} if watch else set())
        try:
            done, _ = await asyncio.wait({task, *others}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if task in done:
                return task.result()
            await _ended(task)
            for other in done:
                other.result()
            raise TimeIsOver
        finally:
            await _ended(task)
            if watch:
                await _ended(watch)

    async def _retried(self, doing: Callable[[], Awaitable[Ending]]) -> Ending:
        for attempt in range(1, TRIES):
            try:
                return await doing()
            except Transient as passing:
                wait_s = min(passing.retry_after_s or 2.0**attempt, 60.0)
                log.warning("trying again", extra={"job": self._job.id, "code": passing.code, "wait_s": wait_s})
                self._log.line(f"{passing.code}: trying again in {wait_s:.0f} s")
                await asyncio.sleep(wait_s)
        return await doing()

    def _failure(self, error: BaseException) -> Failure:
        if isinstance(error, _CancelAsked):
            return Failure(JobState.CANCELLED, "cancelled", {"by": error.by}, by=error.by)
        if isinstance(error, TimeIsOver):
            limit_s = self._means.limits.job_s
            return Failure(JobState.TIMED_OUT, "job_timeout", {"seconds": limit_s, "limit_s": limit_s})
        if isinstance(error, ShipmateError):
            state = JobState.TIMED_OUT if error.code == "stage_timeout" else JobState.FAILED
            return Failure(state, error.code, self._means.masker.mask_value(error.facts))
        log.error("a job failed in a way nobody foresaw", exc_info=error, extra={"job": self._job.id})
        return Failure(JobState.FAILED, "unexpected_error", {"exception_class": type(error).__name__})

    def _left_s(self, context: JobContext) -> float:
        """Seconds of the job's limit that are left, counted from its first start, over crashes.

        What it stands still for on purpose (`waits_s` of its spec) is not counted.
        """
        started = context.job.started_at or self._means.clock()
        spent = (self._means.clock() - started).total_seconds()
        limit_s = self._means.limits.job_s + float(self._job.spec.get("waits_s", 0))
        return max(0.001, limit_s - spent)

    async def _watch_for_cancel(self) -> None:
        """Ends by raising when somebody asked to cancel."""
        while True:
            with contextlib.suppress(Transient):
                job = await self._means.jobs.get(self._job.id)
                if job is not None and job.cancel_asked_by:
                    raise _CancelAsked(job.cancel_asked_by)
            await asyncio.sleep(CANCEL_LOOK_S)

    async def _beat(self) -> None:
        """Renew the lease; ends by raising LeaseLost when it is lost or could not be renewed in time."""
        until = self._means.clock() + timedelta(seconds=LEASE_S)
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            now = self._means.clock()
            try:
                until = await self._means.jobs.heartbeat(self._job.id, self._job.fence, now, LEASE_S)
            except Transient as busy:
                if now >= until:
                    raise LeaseLost("lease_lost", job=self._job.id) from busy

    async def _finish(self, context: JobContext, ending: Ending) -> None:
        await self._log.close()
        message = self._means.masker.mask(ending.message)
        details: dict[str, Any] = {"state": ending.state.value, **self._means.masker.mask_value(ending.result)}
        if ending.error_code:
            details |= {"error_code": ending.error_code, "error_message": ending.error_message}
        await self._persist(context, ending, NewEvent(EventType.JOB_ENDED, message, self._job.stage, details))
        self._means.told(self._job, ending.state)
        log.info("job ended", extra={"job": self._job.id, "state": ending.state.value, "code": ending.error_code})

    async def _persist(self, context: JobContext, ending: Ending, event: NewEvent) -> None:
        """Write the end; a store that is busy is asked again for as long as the lease holds."""
        while True:
            try:
                return await self._means.jobs.finish(
                    self._job.id,
                    self._job.fence,
                    ending.state,
                    [event],
                    self._means.clock(),
                    result=self._means.masker.mask_value(ending.result),
                    error_code=ending.error_code,
                    error_message=self._means.masker.mask(ending.error_message or "") or None,
                    release=ending.release,
                    activate=ending.activate,
                )
            except Transient as busy:
                log.warning("the end could not be written yet", extra={"job": self._job.id, "code": busy.code})
                await asyncio.sleep(0.5)

    async def _append(self, events: Sequence[NewEvent]) -> None:
        await self._means.jobs.append(self._job.id, self._job.fence, events, self._means.clock())


def _kept_failure(context: JobContext) -> Failure | None:
    kept = context.known(Stage.COMPLETE, "failure")
    return Failure(**{**kept, "state": JobState(kept["state"])}) if kept else None


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has really ended."""
    if not task.done():
        task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
