"""Where a service runs: the network, load balancer, cluster and roles under it, read from the environment's `ecs`."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Permanent
from bot.ports.rollouts import RolloutSpec


@dataclass(frozen=True, slots=True)
class Place:
    """All that a service stands on; ARNs as AWS gives them. `listener_rule` None: no load balancer is in front."""

    cluster: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    target_group: str
    listener_rule: str
    alternate_target_group: str | None = None
    test_listener_rule: str | None = None
    infrastructure_role: str | None = None
    """Lets ECS change the load balancer's rules; needed for every strategy but `rolling`."""
    execution_role: str | None = None
    task_role: str | None = None
    log_group: str | None = None
    launch_type: str = "FARGATE"
    public_ip: bool = False
    desired_count: int = 1
    alarms: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Variable → ARN in Secrets Manager or Parameter Store; AWS reads the value, Shipmate never does."""
    service: str | None = None
    """A service that exists already under a name of its own."""
    family: str | None = None


PlaceSource = Callable[[RolloutSpec], Awaitable[Place]]
"""Finds, or makes, what a service stands on. Raises Permanent, naming what is missing."""

REQUIRED = ("subnets", "security_groups", "target_group", "listener_rule", "execution_role")
BLUE_GREEN = ("alternate_target_group", "infrastructure_role")


async def stated_place(spec: RolloutSpec) -> Place:
    """The place as the settings state it. Raises Permanent("ecs_setting_missing", names)."""
    given = dict(spec.place)
    needed = REQUIRED if spec.strategy == "rolling" else REQUIRED + BLUE_GREEN
    missing = [name for name in needed if not given.get(name)]
    if missing:
        raise Permanent("ecs_setting_missing", names=missing)
    return place_of(given)


def place_of(given: Mapping[str, Any]) -> Place:
    """Settings, complete and checked before, as a place; those that say something else are left out."""
    fields = {one.name for one in dataclasses.fields(Place)}
    known = {name: value for name, value in given.items() if value is not None and name in fields}
    for name in ("subnets", "security_groups", "alarms"):
        known[name] = tuple(known.get(name, ()))
    known["launch_type"] = str(known.get("launch_type", "fargate")).upper()
    return Place(**{"cluster": "default", **known})
