"""What stands for one deployment alone goes with it: at its end, and whenever one is found whose job is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.errors import ShipmateError
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed
from bot.ports.engines import Accounts, AnyEngine, Errand, RolloutEngine
from bot.ports.rollouts import Rollouts
from bot.repo_config.ecs import FOLLOW
from bot.store.jobs import Jobs
from bot.store.releases import Releases

log = logging.getLogger("shipmate.leftovers")


async def clear_up(ship: RolloutShip) -> None:
    """Remove what the job set up to follow a state machine. That it cannot be removed now changes no job's end."""
    if is_followed(ship):
        await _clear(ship.engine.rollouts, ship.job.id)


class Leftovers:
    """Looks for what is left of jobs that are over; a job nobody knows here may be somebody else's.

    It looks in the server's own account, and in every lent one where a state machine that was followed shipped what
    serves now.
    """

    def __init__(
        self, engines: Mapping[str, AnyEngine], accounts: Accounts | None, jobs: Jobs, releases: Releases
    ) -> None:
        self._own = [engine.rollouts for engine in engines.values() if isinstance(engine, RolloutEngine)]
        self._accounts = accounts
        self._jobs, self._releases = jobs, releases

    async def look(self) -> None:
        """Once over every account."""
        for rollouts in self._own:
            await self._look_in(rollouts)
        for errand in await self._errands():
            await self._run(errand)

    async def _errands(self) -> list[Errand]:
        """One for each connection by which something was followed."""
        found: dict[str, Errand] = {}
        for release in await self._releases.all_active():
            plan = Plan.from_json(dict(release.spec))
            job = await self._jobs.get(release.job_id) if plan.connection and FOLLOW in plan.environment.ecs else None
            if plan.connection is not None and job is not None:
                found[plan.connection] = Errand(plan.connection, job.repository.full_name, release.environment)
        return list(found.values())

    async def _run(self, errand: Errand) -> None:
        if self._accounts is None:
            return
        try:
            async with self._accounts.entered(errand) as lent:
                await self._look_in(lent.rollouts)
        except ShipmateError as error:
            log.info("a lent account could not be entered", extra={"code": error.code})

    async def _look_in(self, rollouts: Rollouts) -> None:
        try:
            found = await rollouts.leftovers()
        except ShipmateError as error:
            log.info("the platform could not be asked what is left over", extra={"code": error.code})
            return
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
