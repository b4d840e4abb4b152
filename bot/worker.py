"""Takes jobs one by one under a lease, as many at once as it may, and hands back what is under way when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sqlite3
from collections.abc import Awaitable, Callable

from bot.errors import LeaseLost, ShipmateError, Transient
from bot.model import Job
from bot.process.identity import is_dead
from bot.tenure import LEASE_S, Means, Tenure

IDLE_LOOK_S = 1.0

log = logging.getLogger("shipmate.worker")


class Worker:
    """Runs jobs of the kinds it has work for. `changed(timeout_s)` returns when the store may hold something new."""

    def __init__(self, means: Means, changed: Callable[[float], Awaitable[None]]) -> None:
        self._means = means
        self._changed = changed
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    @property
    def running(self) -> int:
        """How many jobs are under way here."""
        return len(self._running)

    async def run(self) -> None:
        """Take jobs until `stop`; then hand back what is under way and return."""
        await self._lapse_the_dead()
        try:
            while not self._stopping.is_set():
                await self._fill()
                await self._changed(IDLE_LOOK_S)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def stop(self) -> None:
        """Take no more jobs and hand back those under way."""
        self._stopping.set()

    async def _lapse_the_dead(self) -> None:
        for owner in await self._means.jobs.lease_owners():
            if is_dead(owner):
                count = await self._means.jobs.lapse(owner)
                log.info("took over from a worker that died", extra={"worker": owner, "jobs": count})

    async def _fill(self) -> None:
        while len(self._running) < self._means.limits.at_once and not self._stopping.is_set():
            try:
                job = await self._means.jobs.claim(self._means.name, self._means.clock(), LEASE_S)
            except Transient as busy:
                log.warning("the store could not be asked for work", extra={"code": busy.code})
                return
            if job is None:
                return
            task = asyncio.create_task(self._own(job), name=f"job {job.id}")
            self._running[job.id] = task
            task.add_done_callback(functools.partial(self._forget, job.id))

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._running.pop(job_id, None)

    async def run_one(self, job: Job) -> None:
        """Bring one claimed job to its end."""
        await self._own(job)

    async def _own(self, job: Job) -> None:
        try:
            await Tenure(self._means, job).run()
        except LeaseLost:
            log.warning("another worker took the job over", extra={"job": job.id})
        except asyncio.CancelledError:
            with contextlib.suppress(ShipmateError):
                await self._means.jobs.give_back(job.id, job.fence)
            log.info("handed the job back", extra={"job": job.id})
        except (ShipmateError, sqlite3.Error):
            log.exception("the job could not be kept; its lease will lapse", extra={"job": job.id})
