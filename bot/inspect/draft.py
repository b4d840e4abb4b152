"""Collects an application's fields, the first answer winning, each with its evidence; then freezes the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields

from bot.inspect.folder import Folder
from bot.inspect.model import AppPlan, BuildOverrides, Evidence, Value
from bot.inspect.paths import join, shown

_OVERRIDE_FIELDS = {
    "language": "language",
    "framework": "framework",
    "runtime": "runtime_version",
    "install": "install",
    "build": "build",
    "start": "start",
    "port": "port",
    "dockerfile": "dockerfile",
    "context": "docker_context",
    "static": "static_output",
}
_PUBLISHED = {
    "package_manager": "packageManager",
    "package_manager_version": "packageManagerVersion",
    "runtime_version": "runtimeVersion",
    "install": "installCommand",
    "build": "buildCommand",
    "start": "startCommand",
    "static_output": "staticOutput",
    "docker_context": "dockerContext",
}


class Draft:
    """A plan in the making. Rules are asked from the surest to the vaguest, so a settled field stays settled."""

    def __init__(self, folder: Folder, overrides: BuildOverrides | None = None, program: str | None = None) -> None:
        """`program` is the folder, below the application's, of the one that is meant among several of one build."""
        self.folder = folder
        self.program = program
        self.programs: tuple[str, ...] = ()
        self.family: str | None = None
        self.traits: dict[str, str] = {}
        self.certainty = 0.0
        self.has_entry = False  # something that can be started or served was found
        self.guessed_entry = False  # the entry is a file's usual name only, as a library has one too
        self._values: dict[str, Value | None] = {}
        self._evidence: list[Evidence] = []
        self._override(overrides or BuildOverrides())

    def _override(self, overrides: BuildOverrides) -> None:
        for item in fields(overrides):
            value = getattr(overrides, item.name)
            if value is not None:
                self.traits[f"{item.name}_override"] = "yes"
            field = _OVERRIDE_FIELDS.get(item.name)
            if value is not None and field is not None:
                self.settle(field, value, "override", "is set under build:", at=None, path=".shipmate.yml")

    def settle(
        self,
        field: str,
        value: Value | None,
        rule: str,
        why: str,
        at: str | None = None,
        line: int | None = None,
        path: str | None = None,
    ) -> bool:
        """Give a field its value unless it has one; False when it had, or `value` is None.

        `at` is a name in the application's folder, `path` one from the repository's root.
        """
        if value is None or field in self._values:
            return False
        self._values[field] = value
        where = path if path is not None else self.folder.path(at) if at is not None else None
        self._evidence.append(Evidence(_PUBLISHED.get(field, field), value, where, line, rule, why))
        return True

    def rule_out(self, field: str) -> None:
        """Settle that a field has no answer, so that no later rule invents one."""
        self._values.setdefault(field, None)

    def pick_program(self, places: Sequence[str]) -> int:
        """Which of several programs of one build to take, by its place in `places`, which are remembered.

        The one that is meant, else the one the start names, else the first.
        """
        if len(places) > 1:
            self.programs = tuple(places)
        if self.program in places:
            return places.index(self.program or "")
        words = set(re.split(r"[\s/\\.]+", self.text("start") or ""))
        named = [place for place in places if place and _same_name(place.rpartition("/")[2], words)]
        return places.index(named[0]) if len(named) == 1 else 0

    def settled(self, field: str) -> bool:
        """Whether the field is decided, be it to have no answer."""
        return field in self._values

    def text(self, field: str) -> str | None:
        """A settled text field's value."""
        value = self._values.get(field)
        return value if isinstance(value, str) else None

    @property
    def evidence(self) -> Sequence[Evidence]:
        """Why the settled fields have their values, so far."""
        return tuple(self._evidence)

    def number(self, field: str) -> int | None:
        """A settled number field's value."""
        value = self._values.get(field)
        return value if isinstance(value, int) else None

    def raise_certainty(self, least: float) -> None:
        """Be at least this sure that the folder is such an application."""
        self.certainty = max(self.certainty, least)

    def freeze(self, confidence: float) -> AppPlan:
        """The finished plan; evidence keeps the order of the published fields."""
        inside = self.program is not None
        if inside:
            root = shown(self.folder.root)
            self.traits["build_root"] = root
            self.settle("docker_context", root, "context/build", "the whole build stands there")
        return AppPlan(
            path=shown(join(self.folder.root, self.program or "")) if inside else shown(self.folder.root),
            **{name: self.text(name) for name in _TEXT_FIELDS},
            port=self.number("port"),
            confidence=round(max(0.0, min(1.0, confidence)), 2),
            evidence=tuple(self._evidence),
            family=self.family,
            traits=dict(self.traits),
        )


def _same_name(name: str, words: set[str]) -> bool:
    """Whether one of the words is this name, or ends with it: `lemon_server` for `server`."""
    return any(word == name or re.search(rf"[_-]{re.escape(name)}$", word) for word in words)


_TEXT_FIELDS = (
    "language",
    "framework",
    "package_manager",
    "package_manager_version",
    "runtime_version",
    "install",
    "build",
    "start",
    "static_output",
    "dockerfile",
    "docker_context",
)
