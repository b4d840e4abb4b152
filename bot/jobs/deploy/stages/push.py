"""Stage 2: put the image where it is run from, and name it by digest from here on."""

from __future__ import annotations

import time

from bot.jobs.deploy.plan import image_repository, image_tag
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports.engines import Maker
from bot.ports.images import BuiltImage


async def push_image(ship: Ship[Maker]) -> None:
    """Keep `image` (by digest). With no registry the engine's own image id is the digest."""
    kept = ship.context.known(Stage.BUILD, "image_id")
    if ship.has_image_of_another:
        await ship.context.keep(Stage.PUSH, image=kept)
        await ship.progress(Stage.PUSH, "stage.push.kept", uri=kept)
        return
    pushed_to = ship.context.known(Stage.BUILD, "repository")
    if pushed_to is not None:
        await ship.context.keep(Stage.PUSH, image=kept)
        await ship.progress(Stage.PUSH, "stage.push.by_build", repository=pushed_to, uri=kept)
        return
    built = BuiltImage(kept, ship.context.known(Stage.BUILD, "tag"))
    repository, tag = image_repository(ship.job), image_tag(ship.job)
    started = time.monotonic()
    pushed = await ship.engine.registry.push(built, repository, tag, ship.context.log.line)
    push_ms = round((time.monotonic() - started) * 1000)
    await ship.context.keep(Stage.PUSH, image=pushed.uri, push_ms=push_ms if pushed.pushed else None)
    key = "stage.push.pushed" if pushed.pushed else "stage.push.local"
    await ship.progress(Stage.PUSH, key, repository=pushed.repository, uri=pushed.uri, durationMs=push_ms)
