"""The rules as data: which marks make a framework, its port and commands, and which releases are supported."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class ContentMark:
    """A pattern that, found in one of the files whose name matches, marks a framework."""

    files: str
    pattern: str


@dataclass(frozen=True)
class Framework:
    """One framework's rule.

    `deps` are dependency names (a trailing `*` matches any ending), `files` names in the folder, `tools` the commands
    its scripts run, `library` says that it is a server library that needs a start of its own, `site` that it builds
    a static site. `start` and `build` are fallbacks with the language's placeholders.
    """

    id: str
    language: str
    priority: int
    deps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    contents: tuple[ContentMark, ...] = ()
    tools: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    build: str | None = None
    start: str | None = None
    port: int | None = None
    static: str | None = None
    docroot: str | None = None
    library: bool = False
    site: bool = False

    def wants(self, dependency: str) -> bool:
        """Whether a dependency of this name marks the framework."""
        name = dependency.lower()
        return any(name == dep or (dep.endswith("*") and name.startswith(dep[:-1])) for dep in self.deps)


@dataclass(frozen=True)
class Releases:
    """The supported releases of a runtime, newest first, and the one taken when nothing is said."""

    supported: tuple[str, ...]
    default: str


@dataclass(frozen=True)
class Rules:
    """All rules, by framework id and by language."""

    frameworks: Mapping[str, Framework]
    releases: Mapping[str, Releases]

    def of_language(self, language: str) -> list[Framework]:
        """A language's frameworks, the most telling first."""
        return sorted((f for f in self.frameworks.values() if f.language == language), key=lambda f: -f.priority)


@cache
def rules() -> Rules:
    """The rules shipped with this package, read once."""
    data = json.loads(files("bot.inspect.rules").joinpath("frameworks.json").read_text("utf-8"))
    frameworks = {row["id"]: _framework(row) for row in data["frameworks"]}
    releases = {name: Releases(tuple(row["releases"]), row["default"]) for name, row in data["languages"].items()}
    return Rules(frameworks, releases)


def _framework(row: dict[str, Any]) -> Framework:
    ready: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    ready["contents"] = tuple(ContentMark(**mark) for mark in row.get("contents", ()))
    for mark in ready["contents"]:
        re.compile(mark.pattern)
    return Framework(**ready)
