"""A manifest's dependencies, and which framework they make the folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.inspect.folder import Folder
from bot.inspect.rules.table import Framework, rules

DEV_WEIGHT = 0.8
FILE_WEIGHT = 0.7
CONTENT_WEIGHT = 0.9


@dataclass(frozen=True)
class Dependency:
    """One dependency as a manifest names it; `at` is the manifest's name in the folder."""

    name: str
    at: str
    version: str | None = None
    dev: bool = False


Dependencies = Mapping[str, Dependency]


@dataclass(frozen=True)
class Match:
    """A framework that fits, how surely (0 to 1), and the mark that says so."""

    framework: Framework
    certainty: float
    at: str
    line: int | None
    why: str

    @property
    def score(self) -> float:
        """Priority weighed by certainty: the higher one wins."""
        return self.framework.priority * self.certainty


def gather(found: Iterable[Dependency]) -> dict[str, Dependency]:
    """Dependencies by lower-case name; a production entry wins over a development one."""
    by_name: dict[str, Dependency] = {}
    for dependency in found:
        key = dependency.name.lower()
        if key not in by_name or (by_name[key].dev and not dependency.dev):
            by_name[key] = dependency
    return by_name


def matches(folder: Folder, language: str, dependencies: Dependencies) -> list[Match]:
    """Every framework of a language that fits the folder, the likeliest first."""
    found = [match for rule in rules().of_language(language) if (match := _match(folder, rule, dependencies))]
    return sorted(found, key=lambda match: -match.score)


def _match(folder: Folder, rule: Framework, dependencies: Dependencies) -> Match | None:
    return _by_dependency(folder, rule, dependencies) or _by_content(folder, rule) or _by_file(folder, rule)


def _by_dependency(folder: Folder, rule: Framework, dependencies: Dependencies) -> Match | None:
    hits = [d for name, d in dependencies.items() if rule.wants(name)] if rule.deps else []
    if not hits:
        return None
    best = min(hits, key=lambda dependency: dependency.dev)
    certainty = 1.0 if not best.dev or _is_built_with(rule) else DEV_WEIGHT if not rule.library else 0.3
    line = folder.line(best.at, best.name)
    return Match(rule, certainty, best.at, line, f"{best.at} depends on {best.name}")


def _is_built_with(rule: Framework) -> bool:
    return rule.site or bool(rule.tools)


def _by_content(folder: Folder, rule: Framework) -> Match | None:
    for mark in rule.contents:
        pattern = re.compile(mark.pattern, re.MULTILINE)
        for name in folder.match(mark.files)[:8]:
            line = folder.line(name, pattern)
            if line:
                return Match(rule, CONTENT_WEIGHT, name, line, f"{name} mentions what {rule.id} needs")
    return None


def _by_file(folder: Folder, rule: Framework) -> Match | None:
    name = folder.first(*rule.files)
    return Match(rule, FILE_WEIGHT, name, None, f"{name} is there") if name else None
