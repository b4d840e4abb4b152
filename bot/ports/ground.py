"""What the work asks of what a service on a platform stands on: planned, made where it is missing, and removed."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.ports.rollouts import RolloutSpec


class PartAction(enum.Enum):
    """What becomes of one thing that a service stands on. `ADOPT`: it is somebody else's, and stays as it is."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    ADOPT = "adopt"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One line of a plan: the part by its name and kind, what people know it by, and its id once it has one."""

    action: PartAction
    part: str
    kind: str
    title: str
    id: str = ""
    changes: str = ""
    """What a change gives it."""


PartTold = Callable[[PlannedPart], None]
"""Hears of each part when it is done; never blocks, never raises."""


class Ground(Protocol):
    """Makes what services stand on where it is missing: network, load balancer, cluster, roles."""

    async def planned(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """Every part, where something has to be done before a deployment; else none. Nothing is done.

        Raises Permanent("ecs_not_provisioned") where something is missing and may not be made unasked.
        """

    async def looked_at(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """Every part as it is now, with what `provide` would do."""

    async def provide(self, spec: RolloutSpec, told: PartTold) -> None:
        """Do it. Repeatable, also after a crash and by two at once."""

    async def doomed(self, spec: RolloutSpec, images: str | None) -> tuple[PlannedPart, ...]:
        """What `remove` would delete, in that order."""

    async def remove(self, spec: RolloutSpec, told: PartTold, images: str | None) -> None:
        """Delete what was made for this environment, its service first; with `images` that repository of images and
        the secrets too. Repeatable. What was given, or made by somebody else, stays."""
