"""The embedded router as the deployment sees it: `ports.Traffic` over the router's client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.engines.router.client import RouterClient
from bot.engines.router.reports import TargetStats
from bot.errors import Permanent, Transient
from bot.ports import TrafficStats, TrafficTarget

UNREACHABLE = frozenset({"router_unreachable", "router_silent"})


class RouterTraffic:
    """A `ports.Traffic`. Every method raises Transient("traffic_unavailable") while the router does not answer."""

    def __init__(self, client: RouterClient) -> None:
        self._client = client

    async def ensure_service(self, service: str, hosts: Sequence[str] = ()) -> str:
        """Raises Permanent("host_taken") when another service answers to one of the hosts."""
        with _router_errors():
            return (await self._client.ensure_service(service, hosts=list(hosts))).url

    async def service_url(self, service: str) -> str | None:
        with _router_errors():
            known = (await self._client.status()).service(service)
        return known.url if known else None

    async def targets(self, service: str) -> list[TrafficTarget]:
        with _router_errors():
            known = (await self._client.status()).service(service)
        return [TrafficTarget(t.id, t.host, t.port, t.weight) for t in known.targets] if known else []

    async def put_target(self, service: str, target: TrafficTarget) -> None:
        """A target that is there already keeps its share; a new one must be reached by the router first."""
        known = {one.id for one in await self.targets(service)}
        weight = None if target.id in known else target.percent
        with _router_errors():
            await self._client.put_target(service, target.id, host=target.host, port=target.port, weight=weight)

    async def shift(self, service: str, percents: Mapping[str, int]) -> None:
        """One durable step; waits for a target that gets more to be reachable. Raises Transient otherwise."""
        with _router_errors():
            await self._client.set_weights(service, percents)

    async def drain(self, service: str, target_id: str, timeout_s: float) -> None:
        with _router_errors():
            await self._client.drain(service, target_id, timeout_s)

    async def remove_target(self, service: str, target_id: str) -> None:
        with _router_errors(), _unknown_is_fine():
            await self._client.remove_target(service, target_id)

    async def remove_service(self, service: str) -> None:
        with _router_errors(), _unknown_is_fine():
            await self._client.remove_service(service)

    async def stats(self, service: str, since: str | None = None) -> dict[str, TrafficStats]:
        with _router_errors():
            measured = await self._client.stats(service, mark=since)
        return {target_id: _stats(one, since is not None) for target_id, one in measured.targets.items()}

    async def mark(self, service: str, name: str) -> None:
        with _router_errors():
            await self._client.mark(service, name)


def _stats(measured: TargetStats, since_mark: bool) -> TrafficStats:
    reading = measured.since_mark if since_mark else measured.window
    return TrafficStats(
        requests=reading.requests + reading.connect_failures,
        errors=reading.errors_5xx + reading.broken + reading.connect_failures,
        p50_ms=reading.p50_ms,
        p95_ms=reading.p95_ms,
        in_flight=measured.in_flight,
    )


@contextmanager
def _router_errors() -> Iterator[None]:
    """The router's absence has one code towards the work."""
    try:
        yield
    except Transient as error:
        if error.code in UNREACHABLE:
            raise Transient("traffic_unavailable", retry_after_s=0.5, reason=error.code) from error
        raise


@contextmanager
def _unknown_is_fine() -> Iterator[None]:
    try:
        yield
    except Permanent as error:
        if error.code not in {"unknown_service", "unknown_target"}:
            raise
