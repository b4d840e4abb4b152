"""What can be asked of a running router; a change is durable before it takes effect, and asking again is harmless."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from bot.engines.router import model
from bot.engines.router.http1 import RequestHead
from bot.engines.router.inbound import FindService, Lobby
from bot.engines.router.listeners import Listeners
from bot.engines.router.model import RouterState, Service, Target
from bot.engines.router.probes import Prober
from bot.engines.router.reports import (
    RouterStatus,
    ServiceStats,
    ServiceStatus,
    TargetStats,
    TargetStatus,
)
from bot.engines.router.settings import PortRange, RouterSettings
from bot.engines.router.statefile import StateFile
from bot.engines.router.switch import DrainReport, Health, LiveService, LiveTarget, Switch, drain
from bot.errors import Permanent, Transient

log = logging.getLogger(__name__)

SHARED = "shared"
PROVE_AGAIN_S = 0.5


@dataclass(frozen=True)
class House:
    """The parts that operations act on."""

    settings: RouterSettings
    file: StateFile
    switch: Switch
    prober: Prober
    lobby: Lobby
    listeners: Listeners
    fingerprint: str


class Operations:
    """The router's operations. Those that move traffic wait until the process before this one has ended."""

    def __init__(self, house: House, alone: asyncio.Event) -> None:
        self._house = house
        self._alone = alone
        self._supervisor = os.getppid()
        self._began = time.monotonic()
        self._state = RouterState()
        self._missing: set[str] = set()
        self._closed = False
        self._changing = asyncio.Lock()

    # Coming back

    async def restore(self) -> None:
        """Take up the state on disk: listen on every port again, and probe every target before it serves.

        The process before this one may still be storing a change; it lets go of the file once it leaves.
        """
        await asyncio.to_thread(self._house.file.acquire)
        self._state = await asyncio.to_thread(self._house.file.load)
        self._follow()
        await self.open_missing()
        self._house.listeners.drop_unclaimed()

    async def close(self) -> None:
        """Change nothing any more: the next process has the state from here on."""
        async with self._changing:
            self._closed = True
            self._house.file.release()

    async def open_missing(self) -> None:
        """Open what does not listen yet; a port that can't be had is tried again at the next call."""
        for service in self._state.services.values():
            await self._open(_listener(service.name), service.port, self._find_by_name(service.name))
        if self._house.settings.shared_port >= 0:
            await self._open(SHARED, self._house.settings.shared_port, self._find_by_host)

    # Changing

    async def ensure_service(self, name: str, hosts: list[str] | None = None, port: int | None = None) -> ServiceStatus:
        """Make sure the service has its address: `port`, or a free one of the range, which it keeps for good.

        `hosts` replaces the names it answers to on the shared listener.
        Raises Permanent `port_unavailable`, `host_taken`.
        """
        async with self._changing:
            known = self._state.services.get(name)
            if known is None:
                await self._new_service(name, _lowered(hosts or []), port)
            elif hosts is not None and _lowered(hosts) != known.hosts:
                await self._save(model.with_service(self._state, replace(known, hosts=_lowered(hosts))))
        return self._service_status(self._live(name))

    async def remove_service(self, name: str) -> None:
        """Forget a service and close its address; requests under way are finished."""
        async with self._changing:
            if name in self._state.services:
                await self._save(model.without_service(self._state, name))
                self._house.listeners.close(_listener(name))

    async def put_target(
        self, service: str, target: str, host: str, port: int, probe_path: str | None = None, weight: int | None = None
    ) -> ServiceStatus:
        """Add a target or move it to another address; it stops draining, and is probed when its address is new.

        Without `weight` it keeps the one it has, 0 at first. Raises Permanent `unknown_service`, `bad_weights`.
        """
        async with self._changing:
            known = self._state.service(service)
            before = next((one for one in known.targets if one.id == target), None)
            percent = weight if weight is not None else (before.weight if before else 0)
            if not 0 <= percent <= model.FULL_PERCENT:
                raise Permanent("bad_weights", service=service, weights={target: percent})
            fresh = Target(target, host, port, probe_path, percent)
            if fresh != before:
                await self._save(model.with_service(self._state, model.with_target(known, fresh)))
            if before is None or before.draining or before.probe_path != probe_path:
                self._doubt(service, target)
        return self._service_status(self._live(service))

    async def set_weights(
        self, service: str, weights: Mapping[str, int], mark: str | None = None, wait_s: float = 10.0
    ) -> ServiceStatus:
        """Switch: whole percents that add up to 100 (or all 0), in one durable step; who is not named gets 0.

        A target that gets more than it had must be healthy, for which this waits up to `wait_s`. `mark` names the
        moment of the switch for `stats`.
        Raises Transient `target_not_healthy`, Permanent `unknown_target`, `bad_weights`.
        """
        await self._alone.wait()
        model.with_weights(self._state.service(service), weights)
        await self._proven(service, weights, time.monotonic() + wait_s)
        async with self._changing:
            known = self._state.service(service)
            switched = model.with_weights(known, weights)
            if switched != known:
                await self._save(model.with_service(self._state, switched))
                log.info("%s: weights are now %s", service, dict(weights))
            if mark is not None:
                self._live(service).mark(mark, time.monotonic())
        return self._service_status(self._live(service))

    async def drain(self, service: str, target: str, timeout_s: float = 30.0) -> DrainReport:
        """Give a target nothing new and wait until it is free; websockets are told, the rest is cut at the limit.

        Raises Permanent `unknown_service`, `unknown_target`.
        """
        await self._alone.wait()
        async with self._changing:
            known = self._state.service(service)
            draining = replace(known.target(target), draining=True)
            if draining != known.target(target):
                await self._save(model.with_service(self._state, model.with_target(known, draining)))
        report = await drain(self._live(service).targets[target], timeout_s)
        log.info("%s: drained %s: %s", service, target, report)
        return report

    async def remove_target(self, service: str, target: str) -> None:
        """Forget a target; what it still serves is finished. Forgetting it again, or one never known, is harmless."""
        await self._alone.wait()
        async with self._changing:
            known = self._state.services.get(service)
            if known is not None and model.without_target(known, target) != known:
                await self._save(model.with_service(self._state, model.without_target(known, target)))

    async def mark(self, service: str, name: str) -> None:
        """Name this moment for `stats`; naming it again keeps the first. Marks live as long as the serving process."""
        self._live(service).mark(name, time.monotonic())

    # Asking

    async def status(self) -> RouterStatus:
        """Everything the router believes now."""
        return RouterStatus(
            pid=os.getpid(),
            supervisor_pid=self._supervisor,
            fingerprint=self._house.fingerprint,
            uptime_s=round(time.monotonic() - self._began, 3),
            shared_port=self._house.listeners.port(SHARED),
            connections=len(self._house.lobby.connections),
            services=tuple(self._service_status(live) for live in self._house.switch.services.values()),
        )

    async def wait_healthy(self, service: str, target: str, timeout_s: float = 30.0) -> ServiceStatus:
        """Return once the target is healthy. Raises Transient `target_not_healthy` after `timeout_s`."""
        self._state.service(service).target(target)
        await self._proven(service, {target: model.FULL_PERCENT}, time.monotonic() + timeout_s)
        return self._service_status(self._live(service))

    async def stats(self, service: str, mark: str | None = None) -> ServiceStats:
        """What each target answered in the last minute, and since `mark` (since it came, where none is given)."""
        live, now = self._live(service), time.monotonic()
        marked = live.marks.get(mark) if mark is not None else {}
        targets = {
            key: TargetStats(
                in_flight=len(target.claims),
                window=target.meter.window(now),
                since_mark=target.meter.since((marked or {}).get(key), now),
            )
            for key, target in live.targets.items()
        }
        return ServiceStats(mark_known=marked is not None, targets=targets)

    # The router itself

    async def reload(self) -> None:
        """Run the code as it is on disk now: both processes are replaced, no connection is lost."""
        self._signal_supervisor(signal.SIGHUP)

    async def stop(self) -> None:
        """End the router once the requests under way are answered."""
        self._signal_supervisor(signal.SIGTERM)

    def _signal_supervisor(self, number: signal.Signals) -> None:
        """Raises Transient `router_restarting` while there is no supervisor, whose place nobody else may take."""
        if os.getppid() != self._supervisor:
            raise Transient("router_restarting")
        os.kill(self._supervisor, number)

    async def _save(self, state: RouterState) -> None:
        """Make the state durable, then follow it.

        Raises Transient `state_not_saved` or `router_restarting`, and nothing has changed.
        """
        if self._closed:
            raise Transient("router_restarting")
        try:
            await asyncio.to_thread(self._house.file.save, state)
        except OSError as error:
            raise Transient("state_not_saved", reason=error.strerror) from error
        self._state = state
        self._follow()

    def _follow(self) -> None:
        for service, target in self._house.switch.adopt(self._state):
            self._house.prober.watch(service, target)

    def _doubt(self, service: str, target: str) -> None:
        """Probe the target before it serves (again): it may have been stopped since it was found healthy."""
        live = self._live(service)
        live.found(live.targets[target], Health.PROBING)
        self._house.prober.watch(live, live.targets[target])

    async def _new_service(self, name: str, hosts: tuple[str, ...], port: int | None) -> None:
        ports = PortRange(port, port) if port else self._house.settings.ports
        taken = frozenset(service.port for service in self._state.services.values())
        try:
            sock = self._house.listeners.bind(ports, taken)
        except OSError as error:
            raise Permanent("port_unavailable", service=name, ports=str(ports), reason=str(error)) from error
        try:
            await self._save(model.with_service(self._state, Service(name, sock.getsockname()[1], hosts)))
        except BaseException:
            sock.close()
            raise
        await self._house.listeners.open(_listener(name), sock, self._find_by_name(name))

    async def _open(self, name: str, port: int, find: FindService) -> None:
        """Listen again on an inherited socket, or on a new one; where the port can't be had now, later may do."""
        listeners = self._house.listeners
        if listeners.is_open(name):
            return
        try:
            sock = listeners.inherited(name) or listeners.bind(PortRange(port, port), frozenset())
        except OSError as error:
            if name not in self._missing:
                log.error("%s: port %d can't be had (%s); trying again", name, port, error.strerror)
            self._missing.add(name)
            return
        self._missing.discard(name)
        await listeners.open(name, sock, find)

    def _find_by_name(self, name: str) -> FindService:
        return lambda _head: self._house.switch.services.get(name)

    def _find_by_host(self, head: RequestHead) -> LiveService | None:
        host = head.host.rpartition(b":")[0] if head.host.rpartition(b":")[2].isdigit() else head.host
        return self._house.switch.by_host.get(host.decode("latin-1").lower())

    async def _proven(self, service: str, weights: Mapping[str, int], deadline: float) -> None:
        """Wait until each target that gets more than it had is healthy at this moment, not only when last looked at.

        Raises Transient `target_not_healthy`.
        """
        for target_id, percent in weights.items():
            while (live := self._live(service).targets.get(target_id)) is not None:
                has_percent = 0 if live.spec.draining else live.spec.weight
                if percent <= has_percent or (live.health is Health.HEALTHY and await self._house.prober.proves(live)):
                    break
                if time.monotonic() >= deadline:
                    raise Transient("target_not_healthy", service=service, target=target_id, state=live.health.value)
                await live.changed.wait(min(PROVE_AGAIN_S, deadline - time.monotonic()))

    def _live(self, name: str) -> LiveService:
        self._state.service(name)
        return self._house.switch.services[name]

    def _service_status(self, live: LiveService) -> ServiceStatus:
        spec = live.spec
        return ServiceStatus(
            name=spec.name,
            url=f"http://{self._house.settings.url_host}:{spec.port}",
            port=spec.port,
            hosts=spec.hosts,
            listening=self._house.listeners.is_open(_listener(spec.name)),
            targets=tuple(_target_status(target) for target in live.targets.values()),
        )


def as_json(report: object) -> object:
    """The JSON form of what an operation gives back."""
    return None if report is None else asdict(report)  # type: ignore[call-overload]


def _target_status(live: LiveTarget) -> TargetStatus:
    spec = live.spec
    return TargetStatus(
        spec.id, spec.host, spec.port, spec.probe_path, spec.weight, state=live.state, in_flight=len(live.claims)
    )


def _listener(service: str) -> str:
    return f"service:{service}"


def _lowered(hosts: list[str]) -> tuple[str, ...]:
    return tuple(sorted({host.lower() for host in hosts}))
