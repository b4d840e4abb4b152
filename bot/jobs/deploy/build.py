"""Stage 1: bring the pinned commit here, find or generate its Dockerfile, and build the image."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from bot.errors import Permanent
from bot.jobs.deploy.build_remarks import build_remarks
from bot.jobs.deploy.plan import image_tag, safe
from bot.jobs.deploy.recipe import Recipe, dockerfile_in, recipe_of
from bot.jobs.deploy.remedy import of_build, of_serving
from bot.jobs.deploy.reuse import use_image_there_is
from bot.jobs.deploy.ship import Ship
from bot.model import JobState, Stage
from bot.ports import BuildRequest, BuiltImage, Maker


async def build_image(ship: Ship[Maker]) -> None:
    """Keep `image_id`, `tag`, `port` and `made` as the stage's facts. A rollback keeps its release's image instead."""
    if await use_image_there_is(ship):
        return
    source = ship.context.workdir / "source"
    started = time.monotonic()
    await ship.tools.source.checkout(ship.job, source, ship.context.log.line)
    clone_ms = round((time.monotonic() - started) * 1000)
    await ship.progress(Stage.BUILD, "stage.build.cloned", path=str(source), sha=ship.job.sha, durationMs=clone_ms)
    buildkit = await ship.engine.builder.mounts_caches()
    recipe = await asyncio.to_thread(recipe_of, source, ship.plan.build, buildkit=buildkit)
    await _tell_findings(ship, recipe)
    key = "stage.build.dockerfile_made" if recipe.made else "stage.build.dockerfile_found"
    told = {"path": recipe.dockerfile, "context": recipe.context, "port": recipe.port}
    await ship.move(JobState.BUILDING, Stage.BUILD, key, **told)
    if recipe.unused:
        keys = ", ".join(f"build.{key}" for key in recipe.unused)
        await ship.progress(Stage.BUILD, "stage.build.unused", keys=keys, path=recipe.dockerfile)
    started = time.monotonic()
    image = await _built(ship, source, recipe)
    build_ms = round((time.monotonic() - started) * 1000)
    await ship.context.keep(
        Stage.BUILD,
        image_id=image.id,
        tag=image.tag,
        port=ship.plan.environment.port or recipe.port,
        image_port=recipe.port,
        made=recipe.made,
        **of_serving(recipe),
        clone_ms=clone_ms,
        build_ms=build_ms,
    )
    await ship.progress(Stage.BUILD, "stage.build.built", imageName=image.tag, imageId=image.id, durationMs=build_ms)
    await asyncio.to_thread(shutil.rmtree, source, ignore_errors=True)


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


async def _built(ship: Ship[Maker], source: Path, recipe: Recipe) -> BuiltImage:
    """Build; a failure is told with the Dockerfile's path where it is the repository's, and with the tools' remarks."""
    try:
        return await ship.engine.builder.build(_request(ship, source, recipe), ship.context.log.line)
    except Permanent as failed:
        if failed.code == "build_failed":
            if not recipe.made:
                failed.facts["path"] = recipe.dockerfile
            failed.facts |= of_build(recipe, failed.facts.get("line"), str(failed.facts.get("message")))
            failed.facts["remarks"] = await asyncio.to_thread(_remarks, ship, source, recipe)
        raise


def _remarks(ship: Ship[Maker], source: Path, recipe: Recipe) -> list[dict[str, str | int]]:
    return build_remarks(ship.context.log.recent(), source, recipe.dockerfile, recipe.context, made=recipe.made)


def _request(ship: Ship[Maker], source: Path, recipe: Recipe) -> BuildRequest:
    job, registry = ship.job, ship.tools.base_registry
    arguments = {name: _text(value) for name, value in (ship.plan.build.get("args") or {}).items()}
    if registry:
        arguments.setdefault("REGISTRY", registry)
    context = source / recipe.context if recipe.context != "." else source
    return BuildRequest(
        context=context,
        dockerfile=dockerfile_in(context, source / recipe.dockerfile),
        tag=f"shipmate/{safe(job.repository.full_name)}:{image_tag(job)}",
        labels={"shipmate.job": job.id, "shipmate.repository": job.repository.full_name, "shipmate.sha": job.sha},
        build_args=arguments,
        start_command=recipe.start_command,
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
