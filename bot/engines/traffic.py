"""Sends a service's requests through the embedded router: its client, in the words of `ports.Traffic`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.engines.router.client import RouterClient
from bot.engines.router.reports import Reading, ServiceStatus
from bot.errors import Permanent, Transient
from bot.ports.running import TrafficStats, TrafficTarget

_UNKNOWN = frozenset({"unknown_service", "unknown_target"})
_SILENT = frozenset({"router_unreachable", "router_silent", "router_did_not_start"})


class RouterTraffic:
    """A `ports.Traffic`. Every method raises Transient("traffic_unavailable") while the router does not answer."""

    def __init__(self, client: RouterClient) -> None:
        self._client = client

    async def ensure_service(self, service: str, hosts: Sequence[str] = ()) -> str:
        """Make the service known; answers its URL, the same for its whole life. Raises Permanent("host_taken")."""
        with _router_errors():
            return (await self._client.ensure_service(service, list(hosts))).url

    async def service_url(self, service: str) -> str | None:
        """Its URL, or None when it is not known."""
        known = await self._known(service)
        return known.url if known else None

    async def targets(self, service: str) -> list[TrafficTarget]:
        """Where its requests may go now, with each share; none for a service that is not known."""
        known = await self._known(service)
        found = known.targets if known else ()
        return [TrafficTarget(one.id, one.host, one.port, one.weight, one.probe_path) for one in found]

    async def serving(self) -> frozenset[str]:
        """Ids of all targets, of whatever service, that are given requests now."""
        with _router_errors():
            status = await self._client.status()
        return frozenset(one.id for service in status.services for one in service.targets if one.weight)

    async def put_target(self, service: str, target: TrafficTarget) -> None:
        """Add a target, or change its address; `percent` applies to a new one only."""
        known = await self._known(service)
        is_new = known is None or known.target(target.id) is None
        weight = target.percent if is_new and target.percent else None
        with _router_errors():
            await self._client.put_target(
                service, target.id, host=target.host, port=target.port, probe_path=target.health, weight=weight
            )

    async def shift(self, service: str, percents: Mapping[str, int]) -> None:
        """Set the share of each named target at once; those not named get 0. Waits for one that is not well yet.

        Raises Permanent("unknown_target"), Transient("target_not_healthy").
        """
        with _router_errors():
            await self._client.set_weights(service, percents)

    async def drain(self, service: str, target_id: str, timeout_s: float) -> None:
        """Wait until the target answers nothing any more, then end what is left; a target that is gone is drained."""
        with _router_errors(), _gone_is_fine():
            await self._client.drain(service, target_id, timeout_s)

    async def remove_target(self, service: str, target_id: str) -> None:
        """Forget a target."""
        with _router_errors(), _gone_is_fine():
            await self._client.remove_target(service, target_id)

    async def remove_service(self, service: str) -> None:
        """Forget a service and close its address."""
        with _router_errors(), _gone_is_fine():
            await self._client.remove_service(service)

    async def stats(self, service: str, since: str | None = None) -> dict[str, TrafficStats]:
        """Per target id, since the mark named `since`, else over the last minute. Raises Permanent("unknown_service").

        What came after the mark, or where the mark is not known, counts from when the router first saw it.
        """
        with _router_errors():
            stats = await self._client.stats(service, since)
        return {
            target_id: _stats(one.since_mark if since else one.window, one.in_flight)
            for target_id, one in stats.targets.items()
        }

    async def mark(self, service: str, name: str) -> None:
        """Count from now on under `name`; a name that is in use keeps its moment."""
        with _router_errors():
            await self._client.mark(service, name)

    async def _known(self, service: str) -> ServiceStatus | None:
        with _router_errors():
            return (await self._client.status()).service(service)


def _stats(reading: Reading, in_flight: int) -> TrafficStats:
    """A request that could not be handed over at all is one, and failed."""
    errors = reading.errors_5xx + reading.broken + reading.connect_failures
    requests = reading.requests + reading.connect_failures
    return TrafficStats(requests, errors, reading.p50_ms, reading.p95_ms, in_flight)


@contextmanager
def _router_errors() -> Iterator[None]:
    """The router's silence, as the work knows it."""
    try:
        yield
    except Transient as error:
        if error.code in _SILENT:
            raise Transient("traffic_unavailable", **error.facts) from error
        raise


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except Permanent as error:
        if error.code not in _UNKNOWN:
            raise
