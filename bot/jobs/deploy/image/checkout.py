"""The pinned commit's tree here, with the way its image is made: brought and told once for each attempt at stage 1."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.jobs.deploy.image.build_remarks import build_remarks
from bot.jobs.deploy.image.recipe import Recipe, recipe_of
from bot.jobs.deploy.image.remedy import of_serving
from bot.jobs.deploy.ship import Ship
from bot.model import JobState, Stage
from bot.ports.engines import Maker


@dataclass(frozen=True, slots=True)
class Checkout:
    """The tree in `source`, and the recipe that was found, or made, in it."""

    source: Path
    recipe: Recipe
    clone_ms: int


async def check_out(ship: Ship[Maker], *, buildkit: bool) -> Checkout:
    """Bring the commit and decide how it is built, telling nobody. Raises what the source and `recipe_of` say."""
    source, clone_ms = await _bring(ship)
    return Checkout(source, await _recipe(ship, source, buildkit), clone_ms)


async def check_out_and_tell(ship: Ship[Maker], *, buildkit: bool) -> Checkout:
    """The same, and tell what is found; from here on the job is building."""
    source, clone_ms = await _bring(ship)
    await ship.progress(Stage.BUILD, "stage.build.cloned", path=str(source), sha=ship.job.sha, durationMs=clone_ms)
    recipe = await _recipe(ship, source, buildkit)
    await _tell_findings(ship, recipe)
    key = "stage.build.dockerfile_made" if recipe.made else "stage.build.dockerfile_found"
    told = {"path": recipe.dockerfile, "context": recipe.context, "port": recipe.port}
    await ship.move(JobState.BUILDING, Stage.BUILD, key, **told)
    if recipe.unused:
        keys = ", ".join(f"build.{key}" for key in recipe.unused)
        await ship.progress(Stage.BUILD, "stage.build.unused", keys=keys, path=recipe.dockerfile)
    return Checkout(source, recipe, clone_ms)


async def _bring(ship: Ship[Maker]) -> tuple[Path, int]:
    """The folder of the tree, and how long it took in milliseconds."""
    source, started = ship.context.workdir / "source", time.monotonic()
    await ship.tools.source.checkout(ship.job, source, ship.context.log.line)
    return source, round((time.monotonic() - started) * 1000)


async def _recipe(ship: Ship[Maker], source: Path, buildkit: bool) -> Recipe:
    return await asyncio.to_thread(recipe_of, source, ship.plan.build, buildkit=buildkit)


async def _tell_findings(ship: Ship[Maker], recipe: Recipe) -> None:
    """What the application is, as an event; the why of each finding in the log."""
    app = recipe.app
    if app is None:
        return
    names = [app.language, app.framework, app.package_manager, app.runtime_version]
    what = ", ".join(name for name in names if name) or "–"
    await ship.progress(Stage.BUILD, "stage.build.inspected", what=what, application=app.path, start=app.start)
    for found in app.evidence:
        place = f"{found.path}:{found.line}" if found.path and found.line else found.path or "–"
        ship.context.log.line(f"{found.field} = {found.value}  ({place}: {found.why})")


def facts_of(ship: Ship[Maker], checkout: Checkout) -> dict[str, Any]:
    """What later stages need to know of it."""
    recipe = checkout.recipe
    return {
        "port": ship.plan.environment.port or recipe.port,
        "image_port": recipe.port,
        "made": recipe.made,
        **of_serving(recipe),
        "clone_ms": checkout.clone_ms,
    }


async def remarks_on(checkout: Checkout, log: Sequence[str]) -> list[dict[str, str | int]]:
    """What the tools of a failed build said in its log about the repository's files."""
    recipe = checkout.recipe
    return await asyncio.to_thread(
        build_remarks, log, checkout.source, recipe.dockerfile, recipe.context, made=recipe.made
    )


async def throw_away(checkout: Checkout) -> None:
    """The tree is of no use once there is an image."""
    await asyncio.to_thread(shutil.rmtree, checkout.source, ignore_errors=True)
