"""Decides from a commit's listing how its image is built, where that is plain; what is not is left to a checkout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.inspect.dockerfile import find_dockerfile, generate
from bot.inspect.dockerfile_search import DockerfileChoice
from bot.inspect.errors import CannotGenerate
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, Inspection, Notice
from bot.inspect.overrides import overrides_from
from bot.inspect.paths import join, normal
from bot.inspect.tree import ListingTree, truncated_notice


@dataclass(frozen=True, slots=True)
class ListedRecipe:
    """How the image is built. Paths are relative to the repository's root; `files` are to be written there first."""

    app: AppPlan
    dockerfile: str
    context: str
    files: Mapping[str, str] = field(default_factory=dict)


def recipe_in(tree: ListingTree, build: Mapping[str, Any]) -> ListedRecipe | None:
    """The recipe a checkout would give too; None where only a checkout can tell, or tell what is wrong.

    `build` is that section of the settings.
    """
    watched = _Watched(tree)
    inspection = inspect_tree(watched, overrides_from(build))
    if not inspection.apps or _names_another(inspection, build):
        return None
    found = _dockerfile(watched, inspection, build)
    if found is not None:
        context = str(build.get("context") or found.context)
        recipe = ListedRecipe(_owner_of(inspection, found), found.path, context) if _holds(tree, context) else None
    else:
        recipe = None if inspection.choices() or build.get("dockerfile") else _generated(watched, inspection.apps[0])
    return None if watched.missed else recipe


class _Watched:
    """A tree that notes whether something was wanted that is there, and was not read."""

    def __init__(self, tree: ListingTree) -> None:
        self._tree, self._paths = tree, frozenset(tree.paths())
        self.missed = truncated_notice() in tree.notices()

    def paths(self) -> Sequence[str]:
        """Every path of the listing."""
        return self._tree.paths()

    def notices(self) -> Sequence[Notice]:
        """What was left out of the listing."""
        return self._tree.notices()

    def read(self, path: str) -> bytes | None:
        """The content as far as it was fetched."""
        content = self._tree.read(path)
        self.missed |= content is None and path in self._paths
        return content


def _names_another(inspection: Inspection, build: Mapping[str, Any]) -> bool:
    path = build.get("path")
    return path is not None and not any(normal(app.path) == normal(path) for app in inspection.apps)


def _dockerfile(tree: _Watched, inspection: Inspection, build: Mapping[str, Any]) -> DockerfileChoice | None:
    """The one set; else the named application's; else the root's; else that of the only application."""
    named, app = build.get("dockerfile"), inspection.apps[0]
    if named is not None:
        there = named in tree.paths()
        return DockerfileChoice(named, ".", "it is set under build:") if there else None
    if build.get("path") is not None:
        return find_dockerfile(tree, app)
    at_root = find_dockerfile(tree)
    return find_dockerfile(tree, app) if at_root is None and not inspection.choices() else at_root


def _owner_of(inspection: Inspection, found: DockerfileChoice) -> AppPlan:
    return next((app for app in inspection.apps if app.dockerfile == found.path), inspection.apps[0])


def _holds(tree: ListingTree, context: str) -> bool:
    """Whether the folder is in the listing."""
    folder = normal(context)
    return not folder or any(path.startswith(f"{folder}/") for path in tree.paths())


def _generated(tree: _Watched, app: AppPlan) -> ListedRecipe | None:
    """Names that are taken are left alone, and to the checkout."""
    try:
        made = generate(app, tree)
    except CannotGenerate:
        return None
    context = "" if made.context == "." else made.context
    files = {join(context, "Dockerfile"): made.dockerfile}
    if made.dockerignore:
        files[join(context, ".dockerignore")] = made.dockerignore
    if any(known == path or known.startswith(f"{path}/") for known in tree.paths() for path in files):
        return None
    return ListedRecipe(app, join(context, "Dockerfile"), made.context, files)
