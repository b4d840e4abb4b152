"""What the work asks of an engine of our own: instances that run, and traffic that is moved between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.ports.images import LogSink


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One running copy of a service. Starting the same `name` twice gives the same instance."""

    name: str
    """Unique on the engine and safe for it: [a-z0-9][a-z0-9_.-]*."""
    image: str
    service: str
    job_id: str
    port: int
    """The port it listens on inside; also given to it as PORT."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: str | None = None
    memory_mb: int = 512
    cpus: float = 1.0
    pids: int = 256
    read_only: bool = False
    """Root file system read-only, with a writable /tmp."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """A running copy. `host`/`port` are where it answers from outside; None while it does not run."""

    id: str
    name: str
    running: bool
    host: str | None
    port: int | None
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    """How often the engine started it again by itself since it was started on purpose."""
    labels: Mapping[str, str] = field(default_factory=dict)


class Target(Protocol):
    """Where instances run."""

    name: str

    async def start(self, spec: InstanceSpec) -> Instance:
        """Create and start, or find what the same name already started. Raises Permanent("start_failed")."""

    async def wake(self, instance_id: str) -> Instance:
        """Start a stopped instance again. Its address may change. Raises Permanent("instance_gone")."""

    async def look(self, instance_id: str) -> Instance | None:
        """What it is now, by id or name; None when there is none."""

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Ask it to end, end it after `grace_s` seconds; keep it for a later `wake`. Repeatable."""

    async def remove(self, instance_id: str) -> None:
        """Stop it and forget it. Repeatable."""

    async def output(self, instance_id: str, lines: int) -> list[str]:
        """The last lines it wrote."""

    async def owned(self) -> list[Instance]:
        """Every instance this Shipmate made, running or not, with its labels (`shipmate.job`, `shipmate.service`)."""

    async def run_once(self, spec: InstanceSpec, log: LogSink) -> int:
        """Run to its end and remove it; answers the exit code. Cancelling ends it. For release commands."""

    async def remove_image(self, image: str) -> None:
        """Forget an image no release needs any more. Repeatable."""


@dataclass(frozen=True, slots=True)
class TrafficTarget:
    """One place a service's requests may go to."""

    id: str
    host: str
    port: int
    percent: int
    health: str | None = None
    """The path that answers when it can serve. An open port alone may be a forwarder's, with nobody behind it yet."""


@dataclass(frozen=True, slots=True)
class TrafficStats:
    """What was measured at one target: latencies in milliseconds, None when it answered no request."""

    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    in_flight: int

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None


class Traffic(Protocol):
    """Sends a service's requests to its targets. Every call is repeatable and durable before it returns."""

    async def ensure_service(self, service: str, hosts: Sequence[str] = ()) -> str:
        """Make the service known; answers its URL, the same for its whole life."""

    async def service_url(self, service: str) -> str | None:
        """Its URL, or None when it is not known."""

    async def targets(self, service: str) -> list[TrafficTarget]:
        """Where its requests may go now, with each share."""

    async def serving(self) -> frozenset[str]:
        """Ids of all targets, of whatever service, that are given requests now."""

    async def put_target(self, service: str, target: TrafficTarget) -> None:
        """Add a target, or change its address; `percent` applies to a new one only."""

    async def shift(self, service: str, percents: Mapping[str, int]) -> None:
        """Set the share of each named target at once; those not named get 0."""

    async def drain(self, service: str, target_id: str, timeout_s: float) -> None:
        """Wait until the target (at 0 percent) answers nothing any more, then end what is left."""

    async def remove_target(self, service: str, target_id: str) -> None: ...

    async def remove_service(self, service: str) -> None: ...

    async def stats(self, service: str, since: str | None = None) -> dict[str, TrafficStats]:
        """Per target id, since the mark named `since` (or the sliding window)."""

    async def mark(self, service: str, name: str) -> None:
        """Count from now under `name`; a name that is known keeps its first moment."""
