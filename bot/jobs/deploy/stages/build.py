"""Stage 1: bring the pinned commit here, find or generate its Dockerfile, and build the image."""

from __future__ import annotations

import time

from bot.errors import Permanent
from bot.jobs.deploy.image.checkout import (
    Checkout,
    check_out_and_tell,
    facts_of,
    remarks_on,
    throw_away,
)
from bot.jobs.deploy.image.recipe import dockerfile_in
from bot.jobs.deploy.image.remedy import of_build
from bot.jobs.deploy.image.reuse import use_image_there_is
from bot.jobs.deploy.plan import build_arguments, image_labels, image_tag, safe
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports.engines import Maker
from bot.ports.images import BuildRequest, BuiltImage


async def build_image(ship: Ship[Maker]) -> None:
    """Keep `image_id`, `tag`, `port` and `made` as the stage's facts. A rollback keeps its release's image instead."""
    if await use_image_there_is(ship):
        return
    buildkit = await ship.engine.builder.mounts_caches()
    checkout = await check_out_and_tell(ship, buildkit=buildkit)
    started = time.monotonic()
    image = await _built(ship, checkout)
    build_ms = round((time.monotonic() - started) * 1000)
    known = {**facts_of(ship, checkout), "image_id": image.id, "tag": image.tag, "build_ms": build_ms}
    await ship.context.keep(Stage.BUILD, **known)
    await ship.progress(Stage.BUILD, "stage.build.built", imageName=image.tag, imageId=image.id, durationMs=build_ms)
    await throw_away(checkout)


async def _built(ship: Ship[Maker], checkout: Checkout) -> BuiltImage:
    """Build; a failure is told with the Dockerfile's path where it is the repository's, and with the tools' remarks."""
    recipe = checkout.recipe
    try:
        return await ship.engine.builder.build(_request(ship, checkout), ship.context.log.line)
    except Permanent as failed:
        if failed.code == "build_failed":
            if not recipe.made:
                failed.facts["path"] = recipe.dockerfile
            failed.facts |= of_build(recipe, failed.facts.get("line"), str(failed.facts.get("message")))
            failed.facts["remarks"] = await remarks_on(checkout, ship.context.log.recent())
        raise


def _request(ship: Ship[Maker], checkout: Checkout) -> BuildRequest:
    job, source, recipe = ship.job, checkout.source, checkout.recipe
    context = source / recipe.context if recipe.context != "." else source
    return BuildRequest(
        context=context,
        dockerfile=dockerfile_in(context, source / recipe.dockerfile),
        tag=f"shipmate/{safe(job.repository.full_name)}:{image_tag(job)}",
        labels=image_labels(job),
        build_args=build_arguments(ship.plan.build, ship.tools.base_registry),
        start_command=recipe.start_command,
    )
