"""What a platform runs against what we believe: told once for each thing that is not so, and never changed by us."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.clock import Clock
from bot.errors import Permanent, ShipmateError
from bot.jobs.deploy.berth import entered
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.rollout.finding import AS_BELIEVED, Finding, entry_of, found_in, standing
from bot.model import Job, Release, Stage
from bot.ports.engines import Accounts, AnyEngine, RolloutEngine
from bot.store.audit import Audit
from bot.store.jobs import Jobs
from bot.store.releases import Releases

log = logging.getLogger("shipmate.upkeep")


class Drift:
    """Looks at the services of live releases. Somebody may have changed one on purpose: we tell, and mend nothing.

    What is found is told in the log and in the audit trail, once, until it is something else; that all is well again is
    told there too.
    """

    def __init__(
        self,
        engines: Mapping[str, AnyEngine],
        accounts: Accounts | None,
        jobs: Jobs,
        releases: Releases,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._engines, self._accounts = engines, accounts
        self._jobs, self._releases = jobs, releases
        self._audit, self._clock = audit, clock

    async def look(self) -> None:
        """Once over every release that serves on a platform; those being changed by a job are left alone."""
        for release in await self._releases.all_active():
            job = await self._jobs.get(release.job_id)
            rollout = (await self._jobs.facts(release.job_id)).get(Stage.LIFECYCLE, {}).get("rollout")
            if job is None or rollout is None or await self._being_changed(release):
                continue
            try:
                finding = await self._found(release, job, str(rollout))
            except Permanent as error:
                finding = Finding("not_asked", {"code": error.code})
            except ShipmateError as passing:
                log.info("what serves could not be asked", extra={"release": release.id, "code": passing.code})
                continue
            if finding is not None:
                await self._tell(finding, release, job)

    async def _found(self, release: Release, job: Job, rollout: str) -> Finding | None:
        """None where there is nothing to compare, or a job began to change it meanwhile."""
        plan, where = Plan.from_json(dict(release.spec)), (job.repository.full_name, release.environment)
        async with entered(self._engines, self._accounts, plan, *where) as engine:
            serving = await engine.rollouts.serving(rollout) if isinstance(engine, RolloutEngine) else None
        if serving is None or await self._being_changed(release):
            return None
        return found_in(serving, release)

    async def _being_changed(self, release: Release) -> bool:
        return bool(await self._jobs.unfinished_in(release.repository_id, release.environment))

    async def _tell(self, finding: Finding, release: Release, job: Job) -> None:
        """Each finding once, until there is another; a restart forgets nothing."""
        if finding == standing(await self._audit.of_job(release.job_id)):
            return
        await self._audit.add(entry_of(finding, release, job), self._clock())
        level = logging.INFO if finding == AS_BELIEVED else logging.WARNING
        told = {"release": release.id, "environment": release.environment, "sha": release.sha, **finding.facts}
        log.log(level, "a live release: %s", finding.said("en"), extra=told)
