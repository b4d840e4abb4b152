"""Decides how the image is built: from the Dockerfile that is set, the one that is found, or one that is generated."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import Permanent
from bot.inspect.dockerfile import find_dockerfile, generate
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.inspect.dockerfile_search import DockerfileChoice
from bot.inspect.errors import CannotGenerate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, Inspection
from bot.inspect.overrides import overrides_from
from bot.inspect.paths import normal
from bot.inspect.tree import FolderTree

DEFAULT_PORT = 8080
NO_APPLICATION = "No application was found."
SAY_WHAT_IT_IS = "build: {language: …, start: …}"
DOCKERFILE_DECIDES = ("language", "framework", "runtime", "install", "build", "static")
"""Keys of `build:` that say nothing where the repository brings its own Dockerfile."""


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
    unused: tuple[str, ...] = ()
    """Keys of `build:` that are set and say nothing here."""
    settings: Mapping[int, str] = field(default_factory=dict)
    """For a generated Dockerfile: which key of `build:` decides a line, by its number."""
    written: tuple[str, ...] = ()
    """The files that were generated into the checkout."""


def recipe_of(source: Path, build: Mapping[str, Any], *, buildkit: bool) -> Recipe:
    """Look at a checkout and decide; a generated Dockerfile, and its ignore file, are written into it.

    `build` is that section of the settings. Raises Permanent: dockerfile_missing, context_missing, path_missing,
    app_unclear, nothing_to_build.
    """
    tree = FolderTree(source)
    inspection = inspect_tree(tree, overrides_from(build))
    _require_path(inspection, build)
    found = _dockerfile(source, tree, inspection, build)
    if found is not None:
        return _found(source, found, inspection, build)
    _require_clear(inspection)
    return _generated(source, tree, inspection.apps[0], buildkit)


def _require_path(inspection: Inspection, build: Mapping[str, Any]) -> None:
    path = build.get("path")
    if path is not None and not any(normal(app.path) == normal(path) for app in inspection.apps):
        raise Permanent("path_missing", path=path)


def _require_clear(inspection: Inspection) -> None:
    """Guessing which of several is meant would deploy the wrong one."""
    if not inspection.apps:
        raise Permanent("nothing_to_build", why=NO_APPLICATION, fix=SAY_WHAT_IT_IS)
    likeliest, choices = inspection.apps[0], inspection.choices()
    startable = likeliest.start is not None or likeliest.static_output is not None
    if choices and (startable or len(choices) > 1):  # what cannot be started is refused with a sentence of its own
        raise Permanent("app_unclear", choices=[_on_one_line(choice) for choice in choices])


def _dockerfile(
    source: Path, tree: FolderTree, inspection: Inspection, build: Mapping[str, Any]
) -> DockerfileChoice | None:
    """The one set; else the named application's; else the root's; else that of the only application."""
    named = build.get("dockerfile")
    if named is not None:
        if not _is_inside(source, source / named) or not (source / named).is_file():
            raise Permanent("dockerfile_missing", path=named)
        return DockerfileChoice(named, ".", "it is set under build:")
    app = inspection.apps[0] if inspection.apps else None
    if build.get("path") is not None:
        return find_dockerfile(tree, app)
    at_root = find_dockerfile(tree)
    if at_root is None and app is not None and not inspection.choices():
        return find_dockerfile(tree, app)
    return at_root


def _found(source: Path, found: DockerfileChoice, inspection: Inspection, build: Mapping[str, Any]) -> Recipe:
    context = str(build.get("context") or found.context)
    if not _is_inside(source, source / context) or not (source / context).is_dir():
        raise Permanent("context_missing", path=context)
    app = next((app for app in inspection.apps if app.dockerfile == found.path), None)
    text = (source / found.path).read_text(encoding="utf-8", errors="replace")
    port = build.get("port") or exposed_port(text) or (app.port if app else None) or DEFAULT_PORT
    unused = tuple(key for key in DOCKERFILE_DECIDES if build.get(key) is not None)
    return Recipe(found.path, context, port, False, app.start if app else build.get("start"), app, unused)


def _generated(source: Path, tree: FolderTree, app: AppPlan, buildkit: bool) -> Recipe:
    try:
        made = generate(app, tree, buildkit=buildkit)
    except CannotGenerate as refused:
        raise Permanent("nothing_to_build", why=refused.sentence, fix=_on_one_line(refused.fix)) from refused
    context = source / made.context
    if not _is_inside(source, context) or not context.is_dir():
        raise Permanent("context_missing", path=made.context)
    name = "Dockerfile" if _is_free(context / "Dockerfile") else f"Dockerfile.{secrets.token_hex(8)}"
    files = {name: made.dockerfile}
    if made.dockerignore and _is_free(context / ".dockerignore"):
        files[".dockerignore"] = made.dockerignore
    for file, text in files.items():
        _write_new(context / file, text)
    written = tuple(str((context / file).relative_to(source)) for file in files)
    port = app.port or DEFAULT_PORT
    return Recipe(written[0], made.context, port, True, app.start, app, settings=made.settings, written=written)


def _is_inside(source: Path, path: Path) -> bool:
    """Whether a path leads into the checkout, links followed: the commit may hold links to anywhere."""
    return path.resolve().is_relative_to(source.resolve())


def _is_free(path: Path) -> bool:
    """Whether nothing has this name; a link that leads nowhere has it too."""
    return not path.is_symlink() and not path.exists()


def dockerfile_in(context: Path, dockerfile: Path) -> str:
    """The Dockerfile's path from the context; one that stands outside of it is copied in, as builders want it."""
    if dockerfile.is_relative_to(context):
        return str(dockerfile.relative_to(context))
    name = f"Dockerfile.{secrets.token_hex(8)}"
    _write_new(context / name, dockerfile.read_text(encoding="utf-8", errors="replace"))
    return name


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet. Never through a link of that name, which could lead anywhere."""
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def _on_one_line(section: str) -> str:
    """A `build:` section as flow YAML, `build: {path: "web"}`, for use inside a sentence."""
    lines = [line.strip() for line in section.splitlines()[1:] if not line.strip().startswith("#")]
    return f"build: {{{', '.join(lines)}}}"


def exposed_port(dockerfile: str) -> int | None:
    """The TCP port a Dockerfile's image listens on, as its EXPOSE says; of several the one that is its PORT."""
    return parse_dockerfile(dockerfile).web_port()
