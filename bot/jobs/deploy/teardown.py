"""Removes all that an environment has at an engine of ours: instances, address, and images nobody else needs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.errors import ShipmateError
from bot.jobs.deploy.plan import service_of
from bot.model import Release
from bot.ports.engines import Engine
from bot.store.releases import Releases

SERVICE = "shipmate.service"

log = logging.getLogger("shipmate.teardown")


async def tear_down(engine: Engine, repository_id: int, environment: str) -> None:
    """Nothing answers there afterwards. Repeatable. Raises Transient while the engine does not answer."""
    service = service_of(repository_id, environment)
    for instance in await engine.target.owned():
        if instance.labels.get(SERVICE) == service:
            await engine.target.remove(instance.id)
    await engine.traffic.remove_service(service)


async def forget_images(engine: Engine, releases: Releases, gone: Sequence[Release]) -> None:
    """The images of releases that are gone, but for those a kept release of another environment has."""
    for image in {release.image for release in gone}:
        sharing = [one for one in await releases.with_image(image) if one.environment != gone[0].environment]
        if any([await releases.is_kept(one.id) for one in sharing]):
            continue
        try:
            await engine.forget_image(image)
        except ShipmateError as error:
            log.warning("an image could not be removed", extra={"image": image, "code": error.code})
