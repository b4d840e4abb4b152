"""What a face is, and the loop that tells it every job's progress: coalesced, retried, and the end always delivered."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from bot.clock import Clock
from bot.errors import ShipmateError, Transient
from bot.line import place_of
from bot.links import Links
from bot.masking import Masker
from bot.model import Job
from bot.shown.addresses import addresses_of
from bot.shown.view import TAIL_LINES, JobView, see
from bot.store.jobs import Jobs
from bot.store.reports import Report, Reports

LONGEST_WAIT_S = 900.0
GIVE_UP_AFTER = 60
"""Attempts at one report that GitHub answers with a refusal before it is let go, with a log line."""
IDLE_S = 1.0

log = logging.getLogger("shipmate.reporters")

Keep = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Keeps the face's state at once: called before something is made that must not be made twice."""


class Face(Protocol):
    """One place a job shows. `pause_s` is the least time between two reports of one job, the end excepted."""

    @property
    def name(self) -> str: ...

    @property
    def pause_s(self) -> float: ...

    def concerns(self, job: Job) -> bool:
        """Whether the job shows here at all."""

    async def tell(self, view: JobView, state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
        """Make the face show the view; answers its new state. Repeatable. Raises Transient or Permanent."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What every face's loop needs."""

    jobs: Jobs
    reports: Reports
    links: Links
    masker: Masker
    clock: Clock
    changed: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Told:
    """When a job was last told here, on the monotonic clock, and whether it had started by then."""

    at_s: float
    started: bool


async def missing(state: Mapping[str, Any], keep: Keep) -> Mapping[str, Any]:
    """The state when GitHub does not find what was made there: gone when it is not found twice.

    Once may be GitHub not knowing yet, in all its places, what it made a moment ago. Raises Transient the first time.
    """
    if state.get("missing"):
        return {**state, "gone": True}
    await keep({**state, "missing": True})
    raise Transient("github_not_found")


class FaceLoop:
    """Tells one face; owns the tasks of the reports under way."""

    def __init__(self, face: Face, telling: Telling, at_once: int = 8) -> None:
        self._face = face
        self._telling = telling
        self._gate = asyncio.Semaphore(at_once)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._last_told: dict[str, _Told] = {}
        self._stopping = asyncio.Event()

    @property
    def name(self) -> str:
        """The face's."""
        return self._face.name

    async def run(self) -> None:
        """Until `stop`; what is under way then is finished first."""
        try:
            while not self._stopping.is_set():
                await self._start_due()
                await self._telling.changed(self._nap_s())
        finally:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def stop(self) -> None:
        """Start no more reports."""
        self._stopping.set()

    async def drain(self) -> None:
        """Tell everything that is due now, once, and wait for it."""
        await self._start_due()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _start_due(self) -> None:
        try:
            behind = await self._telling.reports.behind(self._face.name, self._telling.clock())
        except Transient as busy:
            log.warning("the store could not be asked for reports", extra={"face": self._face.name, "code": busy.code})
            return
        for report in behind:
            if report.job.id not in self._under_way and self._is_time(report):
                task = asyncio.create_task(self._tell(report), name=f"{self._face.name} {report.job.id}")
                self._under_way[report.job.id] = task
                task.add_done_callback(partial(self._forget, report.job.id))

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(job_id, None)

    def _is_time(self, report: Report) -> bool:
        """The first report, the start and the end go at once; between them, not more often than the face bears."""
        last, job = self._last_told.get(report.job.id), report.job
        if last is None or job.state.is_final or (job.started_at is not None and not last.started):
            return True
        return time.monotonic() - last.at_s >= self._face.pause_s

    def _nap_s(self) -> float:
        return min(IDLE_S, self._face.pause_s) if self._last_told else IDLE_S

    async def _tell(self, report: Report) -> None:
        async with self._gate:
            try:
                await self._tell_once(report)
            except ShipmateError as error:
                await self._later(report, error)
            except Exception:
                log.exception("a report failed", extra={"face": self._face.name, "job": report.job.id})
                await self._later(report, Transient("unexpected_error"))

    async def _tell_once(self, report: Report) -> None:
        reports, face = self._telling.reports, self._face
        job = await self._telling.jobs.get(report.job.id)
        if job is None or not face.concerns(job):
            await reports.told(face.name, report.job.id, report.last_seq, report.state)
            return
        view = await self._view(job)

        async def keep(state: Mapping[str, Any]) -> None:
            await reports.keep_state(face.name, job.id, state)

        state = await face.tell(view, report.state, keep)
        await reports.told(face.name, job.id, report.last_seq, state)
        self._remember(job)

    async def _view(self, job: Job) -> JobView:
        jobs = self._telling.jobs
        place = await place_of(jobs, job, self._telling.clock())
        story, tail = await jobs.story(job.id), await jobs.log_tail(job.id, TAIL_LINES)
        links = self._telling.links
        return see(job, story, links.job(job.id), tail=tail, place=place, addresses=addresses_of(job, links))

    def _remember(self, job: Job) -> None:
        if job.state.is_final:
            self._last_told.pop(job.id, None)
        else:
            self._last_told[job.id] = _Told(time.monotonic(), job.started_at is not None)

    async def _later(self, report: Report, error: ShipmateError) -> None:
        """Try again after what the other side named, or ever later; a steady refusal is let go after many tries."""
        named = error.retry_after_s if isinstance(error, Transient) else None
        wait_s = named or min(LONGEST_WAIT_S, 2.0 ** min(report.attempts, 10)) * random.uniform(0.75, 1.25)  # noqa: S311
        extra = {"face": self._face.name, "job": report.job.id, "code": error.code, "wait_s": round(wait_s, 1)}
        if report.attempts >= GIVE_UP_AFTER and not isinstance(error, Transient):
            log.error("a report is let go", extra=extra)
            return await self._telling.reports.told(self._face.name, report.job.id, report.last_seq, report.state)
        log.warning("a report will be tried again", extra={**extra, "facts": error.facts})
        until = self._telling.clock() + timedelta(seconds=wait_s)
        try:
            await self._telling.reports.postpone(self._face.name, report.job.id, until, error.code)
        except Transient as busy:
            log.warning("a report could not be put off", extra={**extra, "code": busy.code})
        return None
