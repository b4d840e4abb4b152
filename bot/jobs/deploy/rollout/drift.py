"""What a platform runs against what we believe: told once for each thing that is not so, and never changed by us."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bot.errors import ShipmateError
from bot.jobs.deploy.berth import entered
from bot.jobs.deploy.plan import Plan
from bot.model import Job, Release, Stage
from bot.ports.engines import Accounts, AnyEngine, RolloutEngine
from bot.ports.rollouts import Serving
from bot.store.jobs import Jobs
from bot.store.releases import Releases

log = logging.getLogger("shipmate.upkeep")


class Drift:
    """Looks at the services of live releases. Somebody may have changed one on purpose: we tell, and mend nothing."""

    def __init__(
        self, engines: Mapping[str, AnyEngine], accounts: Accounts | None, jobs: Jobs, releases: Releases
    ) -> None:
        self._engines, self._accounts = engines, accounts
        self._jobs, self._releases = jobs, releases
        self._told: dict[int, str] = {}

    async def look(self) -> None:
        """Once over every release that serves on a platform; those being changed by a job are left alone."""
        for release in await self._releases.all_active():
            job = await self._jobs.get(release.job_id)
            rollout = (await self._jobs.facts(release.job_id)).get(Stage.LIFECYCLE, {}).get("rollout")
            if job is None or rollout is None or await self._being_changed(release):
                continue
            try:
                await self._look_at(release, job, str(rollout))
            except ShipmateError as error:
                self._tell(release, f"it could not be asked what serves ({error.code})", {"code": error.code})

    async def _look_at(self, release: Release, job: Job, rollout: str) -> None:
        plan, where = Plan.from_json(dict(release.spec)), (job.repository.full_name, release.environment)
        async with entered(self._engines, self._accounts, plan, *where) as engine:
            serving = await engine.rollouts.serving(rollout) if isinstance(engine, RolloutEngine) else None
        if serving is None or await self._being_changed(release):
            return
        self._tell(release, *_difference(release, serving))

    async def _being_changed(self, release: Release) -> bool:
        return bool(await self._jobs.unfinished_in(release.repository_id, release.environment))

    def _tell(self, release: Release, what: str, facts: Mapping[str, Any]) -> None:
        """Each finding once, until there is another, or none any more."""
        if what and self._told.get(release.id) != what:
            told = {"release": release.id, "environment": release.environment, "sha": release.sha, **facts}
            log.warning("a live release: %s", what, extra=told)
        self._told[release.id] = what


def _difference(release: Release, serving: Serving) -> tuple[str, Mapping[str, Any]]:
    """What is not as we believe, in words; none where all is."""
    if serving.revision is None:
        return "its service is gone", {}
    if serving.under_way is not None:
        return "a rollout that no job of ours began is under way", {"rollout": serving.under_way}
    if serving.stuck is not None:
        return "its newest rollout went wrong both ways; somebody has to look", {"rollout": serving.stuck}
    if serving.revision != release.instance_id:
        return "another version serves in its place", {"serves": serving.revision, "believed": release.instance_id}
    return "", {}
