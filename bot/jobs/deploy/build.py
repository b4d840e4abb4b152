"""Stage 1: bring the pinned commit here, find or generate its Dockerfile, and build the image."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Permanent
from bot.inspect.dockerfile import find_dockerfile, generate
from bot.inspect.errors import CannotGenerate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, BuildOverrides
from bot.inspect.tree import FolderTree
from bot.jobs.deploy.build_remarks import build_remarks
from bot.jobs.deploy.plan import image_tag, safe
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports import BuildRequest, BuiltImage

DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the image will be built. Paths are relative to the checkout."""

    dockerfile: str
    context: str
    port: int
    made: bool
    start_command: str | None
    app: AppPlan | None = None
    """What was found out about the application, with the why."""


async def build_image(ship: Ship) -> None:
    """Keep `image_id`, `tag`, `port` and `made` as the stage's facts. A rollback keeps its release's image instead."""
    if ship.plan.image:
        await ship.context.keep(Stage.BUILD, image_id=ship.plan.image, port=_rollback_port(ship), made=False)
        await ship.progress(Stage.BUILD, "stage.build.kept", imageName=ship.plan.image)
        return
    source = ship.context.workdir / "source"
    started = time.monotonic()
    await ship.tools.source.checkout(ship.job, source, ship.context.log.line)
    clone_ms = round((time.monotonic() - started) * 1000)
    await ship.progress(Stage.BUILD, "stage.build.cloned", path=str(source), sha=ship.job.sha, durationMs=clone_ms)
    buildkit = await ship.engine.builder.mounts_caches()
    recipe = await asyncio.to_thread(_recipe, source, ship.plan.build, buildkit)
    await _tell_findings(ship, recipe)
    key = "stage.build.dockerfile_made" if recipe.made else "stage.build.dockerfile_found"
    await ship.progress(Stage.BUILD, key, path=recipe.dockerfile, context=recipe.context, port=recipe.port)
    started = time.monotonic()
    image = await _built(ship, source, recipe)
    build_ms = round((time.monotonic() - started) * 1000)
    await ship.context.keep(
        Stage.BUILD,
        image_id=image.id,
        tag=image.tag,
        port=ship.plan.environment.port or recipe.port,
        made=recipe.made,
        command=recipe.start_command,
        clone_ms=clone_ms,
        build_ms=build_ms,
    )
    await ship.progress(Stage.BUILD, "stage.build.built", imageName=image.tag, imageId=image.id, durationMs=build_ms)
    await asyncio.to_thread(shutil.rmtree, source, ignore_errors=True)


async def _tell_findings(ship: Ship, recipe: Recipe) -> None:
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


async def _built(ship: Ship, source: Path, recipe: Recipe) -> BuiltImage:
    """Build; a failure is told with the Dockerfile's path where it is the repository's, and with the tools' remarks."""
    try:
        return await ship.engine.builder.build(_request(ship, source, recipe), ship.context.log.line)
    except Permanent as failed:
        if failed.code == "build_failed":
            if not recipe.made:
                failed.facts["path"] = recipe.dockerfile
            failed.facts["remarks"] = await asyncio.to_thread(_remarks, ship, source, recipe)
        raise


def _remarks(ship: Ship, source: Path, recipe: Recipe) -> list[dict[str, str | int]]:
    return build_remarks(ship.context.log.recent(), source, recipe.dockerfile, recipe.context, made=recipe.made)


def _request(ship: Ship, source: Path, recipe: Recipe) -> BuildRequest:
    job, registry = ship.job, ship.tools.base_registry
    arguments = {name: _text(value) for name, value in (ship.plan.build.get("args") or {}).items()}
    if registry:
        arguments.setdefault("REGISTRY", registry)
    context = source / recipe.context if recipe.context != "." else source
    return BuildRequest(
        context=context,
        dockerfile=str((source / recipe.dockerfile).relative_to(context)),
        tag=f"shipmate/{safe(job.repository.full_name)}:{image_tag(job)}",
        labels={"shipmate.job": job.id, "shipmate.repository": job.repository.full_name, "shipmate.sha": job.sha},
        build_args=arguments,
        start_command=recipe.start_command,
    )


def _recipe(source: Path, build: Mapping[str, object], buildkit: bool) -> Recipe:
    """Decide on the Dockerfile: the one set, the one found, or one generated. Raises Permanent, explained."""
    named = build.get("dockerfile")
    tree = FolderTree(source)
    if isinstance(named, str):
        return _named_recipe(source, named, build)
    found = find_dockerfile(tree)
    inspection = inspect_tree(tree, overrides=_overrides(build))
    app = _chosen(inspection.apps, build.get("path"))
    if found is not None:
        text = (source / found.path).read_text(encoding="utf-8", errors="replace")
        start = app.start if app else None
        context = str(build.get("context") or found.context)
        return Recipe(found.path, context, exposed_port(text), False, start, app)
    if app is None:
        raise Permanent("nothing_to_build")
    return _generated_recipe(source, tree, app, buildkit)


def _named_recipe(source: Path, named: str, build: Mapping[str, object]) -> Recipe:
    path = source / named
    if not path.is_file() or not path.resolve().is_relative_to(source.resolve()):
        raise Permanent("dockerfile_missing", path=named)
    context = str(build.get("context") or ".")
    if not (source / context).is_dir() or not (source / context).resolve().is_relative_to(source.resolve()):
        raise Permanent("context_missing", path=context)
    return Recipe(named, context, exposed_port(path.read_text(encoding="utf-8", errors="replace")), False, None)


def _generated_recipe(source: Path, tree: FolderTree, app: AppPlan, buildkit: bool) -> Recipe:
    try:
        made = generate(app, tree, buildkit=buildkit)
    except CannotGenerate as refused:
        raise Permanent("nothing_to_build", why=refused.sentence, fix=refused.fix) from refused
    dockerfile = Path(made.context) / "Dockerfile"
    (source / dockerfile).write_text(made.dockerfile, encoding="utf-8")
    ignore = source / made.context / ".dockerignore"
    if made.dockerignore and not ignore.exists():
        ignore.write_text(made.dockerignore, encoding="utf-8")
    return Recipe(str(dockerfile), made.context, app.port or DEFAULT_PORT, True, app.start, app)


def _chosen(apps: tuple[AppPlan, ...], path: object) -> AppPlan | None:
    wanted = str(path).strip("./") if path else None
    return next((app for app in apps if wanted is None or app.path.strip("./") == wanted), None)


def _overrides(build: Mapping[str, object]) -> BuildOverrides:
    """What `.shipmate.yml` says under `build`, as the inspector takes it."""

    def text(name: str) -> str | None:
        return str(build[name]) if build.get(name) is not None else None

    port = build.get("port")
    return BuildOverrides(
        language=text("language"),
        framework=text("framework"),
        runtime=text("runtime"),
        install=text("install"),
        build=text("build"),
        start=text("start"),
        port=port if isinstance(port, int) else None,
        static=text("static"),
    )


_EXPOSE = re.compile(r"^\s*EXPOSE\s+(?:\S+/udp\s+)*(\d{1,5})(?:/tcp)?\b", re.IGNORECASE | re.MULTILINE)


def exposed_port(dockerfile: str) -> int:
    """The first TCP port the last EXPOSE of a Dockerfile names, else 8080."""
    found = _EXPOSE.findall(dockerfile)
    return int(found[-1]) if found else DEFAULT_PORT


def _rollback_port(ship: Ship) -> int:
    return ship.plan.environment.port or DEFAULT_PORT


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
