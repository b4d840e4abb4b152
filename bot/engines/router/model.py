"""What the router must remember (services, addresses, targets, weights), and every change to it as a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.errors import Permanent

FULL_PERCENT = 100


@dataclass(frozen=True)
class Target:
    """One place a service runs. A draining target takes no new request, whatever its weight."""

    id: str
    host: str
    port: int
    probe_path: str | None = None
    weight: int = 0
    draining: bool = False


@dataclass(frozen=True)
class Service:
    """One name with an address of its own, the host names it also answers to, and its targets."""

    name: str
    port: int
    hosts: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()

    def target(self, target_id: str) -> Target:
        """The target of that id. Raises Permanent `unknown_target`."""
        for target in self.targets:
            if target.id == target_id:
                return target
        raise Permanent("unknown_target", service=self.name, target=target_id)


@dataclass(frozen=True)
class RouterState:
    """All services by name, and how often the whole has changed."""

    sequence: int = 0
    services: Mapping[str, Service] = field(default_factory=dict)

    def service(self, name: str) -> Service:
        """The service of that name. Raises Permanent `unknown_service`."""
        try:
            return self.services[name]
        except KeyError:
            raise Permanent("unknown_service", service=name) from None


def with_service(state: RouterState, service: Service) -> RouterState:
    """Add or replace one service; a host name can belong to one service only. Raises Permanent `host_taken`."""
    for other in state.services.values():
        taken = set(other.hosts) & set(service.hosts)
        if other.name != service.name and taken:
            raise Permanent("host_taken", service=other.name, hosts=sorted(taken))
    return replace(state, sequence=state.sequence + 1, services={**state.services, service.name: service})


def without_service(state: RouterState, name: str) -> RouterState:
    """Forget one service; forgetting it again changes nothing."""
    kept = {key: service for key, service in state.services.items() if key != name}
    return replace(state, sequence=state.sequence + 1, services=kept)


def with_target(service: Service, target: Target) -> Service:
    """Add the target, or replace the one with its id in place."""
    known = any(one.id == target.id for one in service.targets)
    if not known:
        return replace(service, targets=(*service.targets, target))
    return replace(service, targets=tuple(target if one.id == target.id else one for one in service.targets))


def without_target(service: Service, target_id: str) -> Service:
    """Remove the target; removing it again changes nothing."""
    return replace(service, targets=tuple(one for one in service.targets if one.id != target_id))


def with_weights(service: Service, percents: Mapping[str, int]) -> Service:
    """Give each target its percent, 0 where none is named; a target that gets some stops draining.

    Raises Permanent `unknown_target`, or `bad_weights` unless they are whole percents that add up to 100 or are all 0.
    """
    for target_id in percents:
        service.target(target_id)
    valid = all(0 <= percent <= FULL_PERCENT for percent in percents.values())
    if not valid or sum(percents.values()) not in (0, FULL_PERCENT):
        raise Permanent("bad_weights", service=service.name, weights=dict(percents))
    return replace(service, targets=tuple(_weighed(one, percents.get(one.id, 0)) for one in service.targets))


def _weighed(target: Target, percent: int) -> Target:
    return replace(target, weight=percent, draining=target.draining and percent == 0)


def state_to_json(state: RouterState) -> dict[str, Any]:
    """Plain JSON values of the whole state, read back by `state_from_json`."""
    services = [{**vars(one), "targets": [vars(target) for target in one.targets]} for one in state.services.values()]
    return {"sequence": state.sequence, "services": services}


def state_from_json(value: Mapping[str, Any]) -> RouterState:
    """Read what `state_to_json` gave. Raises KeyError or TypeError when it is something else."""
    services = [
        Service(
            name=row["name"],
            port=row["port"],
            hosts=tuple(row["hosts"]),
            targets=tuple(Target(**target) for target in row["targets"]),
        )
        for row in value["services"]
    ]
    return RouterState(value["sequence"], {service.name: service for service in services})
