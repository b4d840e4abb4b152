"""What the router tells about itself, as its clients see it; each report has one JSON form on the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.engines.router.meters import Reading
from bot.engines.router.switch import DrainReport

__all__ = ["DrainReport", "Reading", "RouterStatus", "ServiceStats", "ServiceStatus", "TargetStats", "TargetStatus"]

LONGEST_LINE_BYTES = 1024 * 1024
"""What a line on the control socket may have, either way."""


@dataclass(frozen=True)
class TargetStatus:
    """A target now. `state` is probing, healthy, unhealthy or draining; `weight` is a percent."""

    id: str
    host: str
    port: int
    probe_path: str | None
    weight: int
    state: str
    in_flight: int


@dataclass(frozen=True)
class ServiceStatus:
    """A service now. `listening` is false while its port can't be had; the router keeps trying."""

    name: str
    url: str
    port: int
    hosts: tuple[str, ...]
    listening: bool
    targets: tuple[TargetStatus, ...]

    def target(self, target_id: str) -> TargetStatus | None:
        """The target of that id, if there is one."""
        return next((target for target in self.targets if target.id == target_id), None)


@dataclass(frozen=True)
class RouterStatus:
    """The router now. `fingerprint` names the code it runs; `shared_port` is 0 where host names are not routed."""

    pid: int
    supervisor_pid: int
    fingerprint: str
    uptime_s: float
    shared_port: int
    connections: int
    services: tuple[ServiceStatus, ...]

    def service(self, name: str) -> ServiceStatus | None:
        """The service of that name, if there is one."""
        return next((service for service in self.services if service.name == name), None)


@dataclass(frozen=True)
class TargetStats:
    """What one target answered in the last minute, and since the mark that was asked for."""

    in_flight: int
    window: Reading
    since_mark: Reading


@dataclass(frozen=True)
class ServiceStats:
    """Measurements of each target by id. Where the mark is unknown (never set, or the router was restarted since),
    `mark_known` is false and `since_mark` counts from when the router last saw the target for the first time."""

    mark_known: bool
    targets: Mapping[str, TargetStats]


def router_status(value: Mapping[str, Any]) -> RouterStatus:
    """Read a status from its JSON form."""
    return RouterStatus(**{**value, "services": tuple(service_status(one) for one in value["services"])})


def service_status(value: Mapping[str, Any]) -> ServiceStatus:
    """Read a service's status from its JSON form."""
    targets = tuple(TargetStatus(**one) for one in value["targets"])
    return ServiceStatus(**{**value, "hosts": tuple(value["hosts"]), "targets": targets})


def service_stats(value: Mapping[str, Any]) -> ServiceStats:
    """Read a service's measurements from their JSON form."""
    targets = {
        key: TargetStats(one["in_flight"], Reading(**one["window"]), Reading(**one["since_mark"]))
        for key, one in value["targets"].items()
    }
    return ServiceStats(value["mark_known"], targets)
