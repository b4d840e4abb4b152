"""What an inspection answers: applications, each field with its evidence, and warnings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOW_CONFIDENCE = 0.5  # below: ask first
CLOSE_CONFIDENCE = 0.1  # two applications nearer than this: ask which
MOST_CHOICES = 5
UNCLEAR = "It is not clear which application is meant."
NO_START = "<the command that starts it>"

Value = str | int


@dataclass(frozen=True)
class Evidence:
    """Why one field has its value: the rule that spoke and the line it read (line counts from 1)."""

    field: str
    value: Value
    path: str | None
    line: int | None
    rule: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """The evidence as the published JSON has it."""
        names = ("field", "value", "path", "line", "rule", "why")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Notice:
    """Something a person should know: a broken manifest, a conflict, a limit that was reached."""

    code: str
    text: str
    path: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The notice as the published JSON has it."""
        return {"code": self.code, "message": self.text, "path": self.path, "line": self.line}

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}: " if self.path and self.line else f"{self.path}: " if self.path else ""
        return where + self.text


@dataclass(frozen=True)
class BuildOverrides:
    """What .shipmate.yml says under `build:`; a value here wins over every rule.

    `path` says which application is meant, by its folder. `language`, `framework` are ids of the published lists,
    `runtime` a version, `install`, `build`, `start` shell commands, `port` a TCP port, `dockerfile` and `context` paths
    from the repository's root, `static` the folder that holds the finished site.
    """

    path: str | None = None

    language: str | None = None
    framework: str | None = None
    runtime: str | None = None
    install: str | None = None
    build: str | None = None
    start: str | None = None
    port: int | None = None
    dockerfile: str | None = None
    context: str | None = None
    static: str | None = None


@dataclass(frozen=True)
class AppPlan:
    """One application: how it is built and run.

    `path` is its folder from the repository's root (`.` is the root). `family` names the toolchain whose template
    generates its Dockerfile (node, bun, deno, python, jvm, …), `traits` holds what only that template needs.
    `confidence` lies between 0 and 1.
    """

    path: str
    language: str | None = None
    framework: str | None = None
    package_manager: str | None = None
    package_manager_version: str | None = None
    runtime_version: str | None = None
    install: str | None = None
    build: str | None = None
    start: str | None = None
    port: int | None = None
    static_output: str | None = None
    dockerfile: str | None = None
    docker_context: str | None = None
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    family: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The application as the published JSON has it: every key present, null where there is no answer."""
        return {
            "path": self.path,
            "language": self.language,
            "framework": self.framework,
            "packageManager": self.package_manager,
            "packageManagerVersion": self.package_manager_version,
            "runtimeVersion": self.runtime_version,
            "installCommand": self.install,
            "buildCommand": self.build,
            "startCommand": self.start,
            "port": self.port,
            "staticOutput": self.static_output,
            "dockerfile": self.dockerfile,
            "dockerContext": self.docker_context,
            "confidence": self.confidence,
            "evidence": [item.to_json() for item in self.evidence],
        }


@dataclass(frozen=True)
class Inspection:
    """Every application found, the likeliest first, and what was odd on the way."""

    apps: tuple[AppPlan, ...]
    warnings: tuple[Notice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The published JSON of an inspection."""
        return {
            "apps": [app.to_json() for app in self.apps],
            "warnings": [notice.to_json() for notice in self.warnings],
        }

    def question(self) -> str | None:
        """What to ask a person when the likeliest application is not likely enough, or not the only one.

        None when building may start. Each choice is a ready-made piece of .shipmate.yml.
        """
        if not self.apps:
            return "No application was found. Say what it is:\nbuild:\n  language: <language>\n  start: <command>"
        choices = "\n# or\n".join(self.choices())
        return f"{UNCLEAR} Put one of these into .shipmate.yml:\n{choices}" if choices else None

    def choices(self) -> tuple[str, ...]:
        """The applications that may be meant, each as the section of .shipmate.yml that settles it.

        Empty when there is nothing to choose: one is likely enough, or named, or none was found.
        """
        close = [app for app in self.apps if self.apps[0].confidence - app.confidence < CLOSE_CONFIDENCE]
        if not close or _is_named(close[0]) or (len(close) == 1 and close[0].confidence >= LOW_CONFIDENCE):
            return ()
        return tuple(_as_settings(app, alone=len(self.apps) == 1) for app in close[:MOST_CHOICES])


def _is_named(app: AppPlan) -> bool:
    """Whether the settings say that this is the one, or how it is started."""
    return any(f"{key}_override" in app.traits for key in ("path", "start", "static", "dockerfile"))


def _as_settings(app: AppPlan, *, alone: bool) -> str:
    """The application as a `build:` section: its folder tells it from others, its start says how sure we may be."""
    said = {"path": app.path} if not alone else {"language": app.language, "start": app.start or NO_START}
    if alone and app.static_output:
        said = {"language": app.language, "static": app.static_output}
    lines = [f"  {key}: {json.dumps(value)}" for key, value in said.items() if value is not None]
    return "\n".join(["build:", *lines])
