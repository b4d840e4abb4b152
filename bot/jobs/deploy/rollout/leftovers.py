"""What stands for one deployment alone goes with it: at its end, and whenever one is found whose job is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.errors import ShipmateError
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed
from bot.ports import AnyEngine, RolloutEngine, Rollouts
from bot.store.jobs import Jobs

log = logging.getLogger("shipmate.leftovers")


async def clear_up(ship: RolloutShip) -> None:
    """Remove what the job set up to follow a state machine. That it cannot be removed now changes no job's end."""
    if is_followed(ship):
        await _clear(ship.engine.rollouts, ship.job.id)


class Leftovers:
    """Looks for what is left of jobs that are over; a job nobody knows here may be somebody else's."""

    def __init__(self, engines: Mapping[str, AnyEngine], jobs: Jobs) -> None:
        self._rollouts = [engine.rollouts for engine in engines.values() if isinstance(engine, RolloutEngine)]
        self._jobs = jobs

    async def look(self) -> None:
        """Once over every platform."""
        for rollouts in self._rollouts:
            try:
                found = await rollouts.leftovers()
            except ShipmateError as error:
                log.info("the platform could not be asked what is left over", extra={"code": error.code})
                continue
            for job_id in found:
                job = await self._jobs.get(job_id)
                if job is not None and job.state.is_final:
                    log.warning("removing what is left of a job that is over", extra={"job": job_id})
                    await _clear(rollouts, job_id)


async def _clear(rollouts: Rollouts, job_id: str) -> None:
    try:
        await rollouts.clear(job_id)
    except ShipmateError as error:
        log.warning("what a deployment set up could not be removed", extra={"job": job_id, "code": error.code})
