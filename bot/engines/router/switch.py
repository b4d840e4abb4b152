"""Decides which target a request goes to: claims, weights, health, and the drain that waits for claims to end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from bot.engines.router.meters import Meter, Snapshot
from bot.engines.router.model import RouterState, Service, Target

log = logging.getLogger(__name__)

MARKS_KEPT = 50


class Health(Enum):
    """What is known of a target. Only a healthy one gets requests; draining is a wish, not a finding."""

    PROBING = "probing"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class NothingToServe(Exception):
    """No target could take the request within its time."""


class Changed:
    """Lets many wait for the next change of something."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Wake everyone who waits now."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next change, or after `timeout_s`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait([future], timeout=max(0.0, timeout_s))
        finally:
            self._waiting.discard(future)


class Claim:
    """One request's hold on its target, from the choice to the response's last byte; a drain waits for it.

    `tell` asks a websocket to end (True when it could be told), `cut` ends whatever runs; both are set by who serves.
    """

    __slots__ = ("cut", "started", "target", "tell")

    def __init__(self, target: LiveTarget) -> None:
        self.target = target
        self.started = time.monotonic()
        self.tell: Callable[[], bool] = lambda: False
        self.cut: Callable[[], None] = lambda: None
        target.claims.add(self)

    def release(self) -> None:
        """Give the target back."""
        self.target.claims.discard(self)
        if self.target.spec.draining and not self.target.claims:
            self.target.changed.tell()


class LiveTarget:
    """A target as it runs: its health, who holds it, what it measured."""

    def __init__(self, spec: Target, now: float) -> None:
        self.spec = spec
        self.health = Health.PROBING
        self.claims: set[Claim] = set()
        self.meter = Meter(now)
        self.credit = 0
        self.changed = Changed()

    @property
    def state(self) -> str:
        """One word for people: probing, healthy, unhealthy or draining."""
        return "draining" if self.spec.draining else self.health.value

    @property
    def takes_requests(self) -> bool:
        return self.health is Health.HEALTHY and self.spec.weight > 0 and not self.spec.draining


@dataclass(frozen=True)
class DrainReport:
    """How a drain ended: requests that `finished`, websockets `told` to go, connections `cut` at the limit.

    `resumed` is true when the target was given weight again meanwhile, and the drain gave up.
    """

    waited_s: float
    finished: int
    told: int
    cut: int
    resumed: bool = False


class LiveService:
    """A service as it runs: its targets, its named marks, and the requests that wait for a target."""

    def __init__(self, spec: Service) -> None:
        self.spec = spec
        self.targets: dict[str, LiveTarget] = {}
        self.marks: dict[str, dict[str, Snapshot]] = {}
        self._changed = Changed()

    def adopt(self, spec: Service, now: float) -> list[LiveTarget]:
        """Follow a new state. Returns the targets that are new or moved, which must be probed before they serve."""
        before, self.spec = self.targets, spec
        self.targets = {target.id: _followed(before.get(target.id), target, now) for target in spec.targets}
        for live in self.targets.values():
            live.changed.tell()
        self._changed.tell()
        return [live for key, live in self.targets.items() if before.get(key) is not live]

    def claim(self) -> Claim | None:
        """Choose and hold a target in one step; None when none takes requests.

        Weights are kept exactly over any run of requests (smooth weighted round robin, as nginx does).
        """
        best: LiveTarget | None = None
        total = 0
        for target in self.targets.values():
            if target.takes_requests:
                target.credit += target.spec.weight
                total += target.spec.weight
                if best is None or target.credit > best.credit:
                    best = target
        if best is None:
            return None
        best.credit -= total
        return Claim(best)

    async def wait_claim(self, deadline: float) -> Claim:
        """`claim`, waiting for a target until `deadline` (monotonic). Raises NothingToServe."""
        while (claim := self.claim()) is None:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                raise NothingToServe
            await self._changed.wait(remaining_s)
        return claim

    def found(self, target: LiveTarget, health: Health) -> None:
        """Take in what a probe or a request found out about a target."""
        if target.health is health:
            return
        log.info("%s: target %s is %s, was %s", self.spec.name, target.spec.id, health.value, target.health.value)
        target.health = health
        target.changed.tell()
        self._changed.tell()

    def mark(self, name: str, now: float) -> None:
        """Name this moment, to read from it later; naming it again keeps the first."""
        if name in self.marks:
            return
        while len(self.marks) >= MARKS_KEPT:
            del self.marks[next(iter(self.marks))]
        self.marks[name] = {key: live.meter.snapshot(now) for key, live in self.targets.items()}


async def drain(target: LiveTarget, timeout_s: float) -> DrainReport:
    """Wait until nobody holds a draining target; tell websockets at once, cut what is left after `timeout_s`."""
    begun = time.monotonic()
    held = len(target.claims)
    told = {claim for claim in tuple(target.claims) if claim.tell()}
    while target.claims and target.spec.draining:
        remaining_s = begun + timeout_s - time.monotonic()
        if remaining_s <= 0:
            break
        await target.changed.wait(remaining_s)
    resumed = not target.spec.draining
    left = set() if resumed else set(target.claims)
    for claim in left:
        claim.cut()
    return DrainReport(
        waited_s=round(time.monotonic() - begun, 3),
        finished=held - len(told | (target.claims if resumed else left)),
        told=len(told),
        cut=len(left),
        resumed=resumed,
    )


class Switch:
    """All live services, following the durable state."""

    def __init__(self) -> None:
        self.services: dict[str, LiveService] = {}
        self.by_host: dict[str, LiveService] = {}

    def adopt(self, state: RouterState) -> list[tuple[LiveService, LiveTarget]]:
        """Follow a new state at once. Returns the targets that must be probed before they serve."""
        now = time.monotonic()
        unproven: list[tuple[LiveService, LiveTarget]] = []
        kept = {name: self.services.get(name) or LiveService(spec) for name, spec in state.services.items()}
        for name in self.services.keys() - kept.keys():
            self.services[name].adopt(Service(name, 0), now)
        self.services = kept
        for name, spec in state.services.items():
            unproven += [(kept[name], target) for target in kept[name].adopt(spec, now)]
        self.by_host = {host: live for live in kept.values() for host in live.spec.hosts}
        return unproven

    def tell_all(self) -> None:
        """Ask every websocket to go: the router itself is leaving."""
        for target in self.targets():
            for claim in tuple(target.claims):
                claim.tell()

    def targets(self) -> Iterable[LiveTarget]:
        """Every live target."""
        return (target for service in self.services.values() for target in service.targets.values())


def _followed(before: LiveTarget | None, spec: Target, now: float) -> LiveTarget:
    """The live target under its new spec; a new one where the address moved, since nothing is known of that."""
    if before is None or (before.spec.host, before.spec.port) != (spec.host, spec.port):
        return LiveTarget(spec, now)
    before.spec = spec
    return before
