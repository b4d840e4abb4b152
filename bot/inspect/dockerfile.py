"""The Dockerfile an application is built with: found in the repository, or generated from its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.inspect.dockerfile_search import DockerfileChoice, choose_dockerfile
from bot.inspect.errors import CannotGenerate
from bot.inspect.folder import Folder
from bot.inspect.generate.ignore import dockerignore
from bot.inspect.generate.registry import template_for
from bot.inspect.generate.writer import Writer
from bot.inspect.model import AppPlan
from bot.inspect.paths import join
from bot.inspect.reader import Reader
from bot.inspect.tree import Tree


@dataclass(frozen=True)
class GeneratedBuild:
    """Files to build an application with: both texts, and the context folder from the repository's root.

    `dockerignore` is empty when the context has one already. `settings` says which key of `build:` decides a line of
    the Dockerfile, by the line's number from 1.
    """

    dockerfile: str
    dockerignore: str
    context: str
    settings: Mapping[int, str] = field(default_factory=dict)


def find_dockerfile(tree: Tree, app: AppPlan | None = None) -> DockerfileChoice | None:
    """The Dockerfile for an application (for the root when None): `Dockerfile`, `docker/Dockerfile`,
    `deployment/Dockerfile`, then what else is usual; None when there is none that can be read.
    """
    reader = Reader(tree)
    if app and app.dockerfile:
        return _named(reader, app)
    return choose_dockerfile(reader, "" if app is None or app.path == "." else app.path)


def _named(reader: Reader, app: AppPlan) -> DockerfileChoice | None:
    path = app.dockerfile or ""
    if path not in reader.index or reader.text(path) is None:
        return None
    return DockerfileChoice(path, app.docker_context or ".", f"{path} belongs to the application")


def generate(plan: AppPlan, tree: Tree, *, buildkit: bool = True) -> GeneratedBuild:
    """A Dockerfile and .dockerignore for a plan. `buildkit` off leaves cache mounts out, for the classic builder.

    Raises CannotGenerate, with the lines of .shipmate.yml that would help, when the plan does not suffice.
    """
    reader = Reader(tree)
    root = plan.traits.get("build_root", plan.path)
    folder = Folder(reader, "" if root == "." else root)
    _require_enough(plan)
    writer = Writer(buildkit=buildkit, told=_told(plan))
    template_for(plan)(writer, plan, folder)
    context = plan.docker_context or root
    ignored = join(context, ".dockerignore") in reader.index
    return GeneratedBuild(writer.text(), "" if ignored else dockerignore(plan), context, dict(writer.settings))


def _told(plan: AppPlan) -> dict[str, str]:
    """The steps that .shipmate.yml gives, which no template may replace by its own."""
    steps = {"install": plan.install, "build": plan.build}
    return {key: command for key, command in steps.items() if command and plan.traits.get(f"{key}_override")}


def _require_enough(plan: AppPlan) -> None:
    if plan.static_output is None and not plan.start:
        raise CannotGenerate(
            "no_start",
            f"Nothing in {plan.path} says how the application is started.",
            "build:\n  start: <the command that starts it>\n  port: <the port it listens on>",
        )
