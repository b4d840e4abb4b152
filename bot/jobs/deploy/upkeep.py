"""What runs against what we believe: live releases are kept running and routed, and what nobody owns is removed."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.errors import ShipmateError
from bot.jobs.deploy.plan import service_of
from bot.jobs.deploy.ship import as_target
from bot.model import Job, Release
from bot.ports.engines import Engine
from bot.ports.running import Instance, TrafficTarget
from bot.store.jobs import Jobs
from bot.store.releases import KEPT_RELEASES, Releases

log = logging.getLogger("shipmate.upkeep")


class Upkeep:
    """Looks after every engine. Each look is repeatable and leaves unfinished jobs alone."""

    def __init__(self, engines: Mapping[str, Engine], jobs: Jobs, releases: Releases) -> None:
        self._engines = engines
        self._jobs = jobs
        self._releases = releases

    async def look(self) -> None:
        """Once over everything."""
        for release in await self._releases.all_active():
            await self._keep_serving(release)
        for engine in self._engines.values():
            await self._remove_unowned(engine)

    async def _keep_serving(self, release: Release) -> None:
        engine = self._engines.get(str(release.spec.get("target", "")))
        if engine is None or await self._being_changed(release):
            return
        try:
            instance = await engine.target.look(release.instance_id)
            if instance is None:
                log.error("a live release has no instance", extra={"release": release.id, "sha": release.sha})
                return
            if not instance.running:
                log.warning("a live release had stopped; starting it", extra={"release": release.id})
                instance = await engine.target.wake(instance.id)
            await _route(engine, release, instance)
        except ShipmateError as error:
            log.warning("a live release could not be looked after", extra={"release": release.id, "code": error.code})

    async def _being_changed(self, release: Release) -> bool:
        """A job under way in the environment knows better than we do."""
        return bool(await self._jobs.unfinished_in(release.repository_id, release.environment))

    async def _remove_unowned(self, engine: Engine) -> None:
        """What answers requests stays, whoever it belongs to: a lost database must not end a service."""
        try:
            instances = await engine.target.owned()
            serving = await engine.traffic.serving()
        except ShipmateError as error:
            log.warning("the engine could not be asked what it runs", extra={"code": error.code})
            return
        for instance in instances:
            job = await self._jobs.get(instance.labels.get("shipmate.job", ""))
            if instance.name in serving or await self._is_owned(instance, job):
                continue
            log.warning("removing an instance nobody owns", extra={"instance": instance.name})
            try:
                await engine.target.remove(instance.id)
                await self._remove_its_image(engine, instance, job)
            except ShipmateError as error:
                log.warning("it could not be removed", extra={"instance": instance.name, "code": error.code})

    async def _remove_its_image(self, engine: Engine, instance: Instance, job: Job | None) -> None:
        """The image of an old release goes with its instance, unless a kept release anywhere has the same one."""
        if job is None:
            return
        releases = await self._releases.recent(job.repository.id, job.environment)
        for image in {release.image for release in releases if release.instance_id == instance.name}:
            sharing = await self._releases.with_image(image)
            if not any([await self._releases.is_kept(release.id) for release in sharing]):
                await engine.target.remove_image(image)

    async def _is_owned(self, instance: Instance, job: Job | None) -> bool:
        """By an unfinished job, by the release that serves, or by one of the last releases, kept for rollback."""
        if job is None:
            return False
        if not job.state.is_final:
            return True
        kept = await self._releases.recent(job.repository.id, job.environment, KEPT_RELEASES)
        active = await self._releases.active(job.repository.id, job.environment)
        return instance.name in {release.instance_id for release in [*kept, *([active] if active else [])]}


async def _route(engine: Engine, release: Release, instance: Instance) -> None:
    """The router must send the service's requests to the instance, at the address it has now."""
    service = service_of(release.repository_id, release.environment)
    targets: Mapping[str, TrafficTarget] = {t.id: t for t in await engine.traffic.targets(service)}
    known = targets.get(release.instance_id)
    if known is None or (known.host, known.port) != (instance.host, instance.port):
        await engine.traffic.ensure_service(service, tuple(release.spec["environment"].get("hosts", ())))
        health = str(release.spec["environment"]["health"])
        await engine.traffic.put_target(service, as_target(instance, release.instance_id, 100, health))
        log.warning("the route of a live release was mended", extra={"release": release.id})
    if known is None or known.percent != 100:
        await engine.traffic.shift(service, {release.instance_id: 100})
