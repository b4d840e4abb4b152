"""What an environment's `ecs` may not say together: who builds is told how, and who follows decides nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CODEBUILD, FOLLOW = "codebuild", "follow"
BESIDE_FOLLOW = frozenset({FOLLOW, "builder", CODEBUILD, "connection"})
"""Keys of `ecs` that still say something where a state machine deploys."""
DECIDED_BY_MACHINE = ("release_command", "command", "env", "secrets", "params", "traffic")
"""Keys of the environment that say nothing there."""


@dataclass(frozen=True, slots=True)
class EcsFault:
    """The first thing that is wrong, and where it stands below `environments`."""

    path: tuple[str, ...]
    problem: str


def fault_in_ecs(environments: Mapping[str, Mapping[str, Any] | None]) -> EcsFault | None:
    """The first fault in the `ecs` of all environments."""
    for name, settings in environments.items():
        for path, problem in _faults(settings or {}):
            return EcsFault((name, *path), problem)
    return None


def _faults(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    ecs: Mapping[str, Any] = settings.get("ecs") or {}
    yield from _faults_of_builder(ecs)
    if FOLLOW not in ecs:
        return
    for key in DECIDED_BY_MACHINE:
        if key in settings:
            yield (key,), f"{key} says nothing beside ecs.follow: the state machine decides it, so leave it out"
    for key in ecs:
        if key not in BESIDE_FOLLOW:
            yield ("ecs", key), f"{key} says nothing beside follow: the state machine decides it, so leave it out"


def _faults_of_builder(ecs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    how: Mapping[str, Any] = ecs.get(CODEBUILD) or {}
    asked = ecs.get("builder") == CODEBUILD
    if CODEBUILD in ecs and not asked:
        yield ("ecs", CODEBUILD), "codebuild says nothing without builder: codebuild beside it"
    if asked and not (how.get("service_role") or how.get("project") or ecs.get("provision")):
        yield (
            ("ecs", CODEBUILD if CODEBUILD in ecs else "builder"),
            "CodeBuild needs codebuild: {service_role: …}, the role builds run as, {project: …}, or provision: true",
        )
