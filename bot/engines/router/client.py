"""Asks things of the router over its control socket: one method for each operation, with typed reports."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.engines.router.reports import (
    LONGEST_LINE_BYTES,
    DrainReport,
    RouterStatus,
    ServiceStats,
    ServiceStatus,
    router_status,
    service_stats,
    service_status,
)
from bot.errors import Permanent, Transient

ANSWER_WITHIN_S = 45.0  # a router that was just replaced may first finish for 30 s
ASK_AGAIN_S = 0.02
RESTARTING = frozenset({"router_unreachable", "router_restarting"})


class RouterClient:
    """A router, seen from outside. Every method may be repeated.

    Each asks again while the router restarts, for `patience_s`, and raises Transient `router_unreachable` when there is
    none after that, or `router_silent` when it took too long.
    """

    def __init__(self, socket_path: Path, patience_s: float = 3.0) -> None:
        self.socket_path = socket_path
        self._patience_s = patience_s

    async def status(self) -> RouterStatus:
        """Everything the router believes now."""
        return router_status(await self._ask("status"))

    async def ensure_service(self, name: str, hosts: list[str] | None = None, port: int | None = None) -> ServiceStatus:
        """Make sure the service has an address of its own, kept for good: `.url` of the result.

        A new service gets `port` where one is asked for. Raises Permanent `port_unavailable`, `host_taken`.
        """
        return service_status(await self._ask("ensure_service", name=name, hosts=hosts, port=port))

    async def remove_service(self, name: str) -> None:
        """Forget a service and close its address."""
        await self._ask("remove_service", name=name)

    async def put_target(
        self,
        service: str,
        target: str,
        *,
        host: str,
        port: int,
        probe_path: str | None = None,
        weight: int | None = None,
    ) -> ServiceStatus:
        """Add a target or move it; it serves once a probe succeeds. Without `weight` it keeps its own, 0 at first.

        Raises Permanent `unknown_service`, `bad_weights`.
        """
        arguments: dict[str, Any] = {"service": service, "target": target, "host": host, "port": port}
        return service_status(await self._ask("put_target", **arguments, probe_path=probe_path, weight=weight))

    async def wait_healthy(self, service: str, target: str, timeout_s: float = 30.0) -> ServiceStatus:
        """Return once the router found the target healthy. Raises Transient `target_not_healthy`."""
        answer = self._ask("wait_healthy", within_s=timeout_s, service=service, target=target, timeout_s=timeout_s)
        return service_status(await answer)

    async def set_weights(
        self, service: str, weights: Mapping[str, int], *, mark: str | None = None, wait_s: float = 10.0
    ) -> ServiceStatus:
        """Switch in one durable step: percents that add up to 100, or all 0; a target that is not named gets 0.

        `mark` names the moment for `stats`. Waits `wait_s` for a target that gets more to be healthy.
        Raises Transient `target_not_healthy`, Permanent `unknown_target`, `bad_weights`.
        """
        arguments = {"service": service, "weights": dict(weights), "mark": mark, "wait_s": wait_s}
        return service_status(await self._ask("set_weights", within_s=wait_s, **arguments))

    async def drain(self, service: str, target: str, timeout_s: float = 30.0) -> DrainReport:
        """Give a target nothing new and wait until it is free, cutting what is left after `timeout_s`."""
        answer = await self._ask("drain", within_s=timeout_s, service=service, target=target, timeout_s=timeout_s)
        return DrainReport(**answer)

    async def remove_target(self, service: str, target: str) -> None:
        """Forget a target."""
        await self._ask("remove_target", service=service, target=target)

    async def mark(self, service: str, name: str) -> None:
        """Name this moment for `stats`."""
        await self._ask("mark", service=service, name=name)

    async def stats(self, service: str, mark: str | None = None) -> ServiceStats:
        """What each target answered in the last minute, and since `mark`."""
        return service_stats(await self._ask("stats", service=service, mark=mark))

    async def reload(self) -> None:
        """Have the router run the code as it is on disk now, without losing a connection."""
        await self._ask("reload")

    async def stop(self) -> None:
        """End the router once the requests under way are answered."""
        await self._ask("stop")

    async def gone(self) -> None:
        """Return when the serving process that answers now has ended. Raises Transient `router_unreachable`."""
        reader, writer = await self._connect()
        try:
            await reader.read()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _ask(self, operation: str, *, within_s: float = 0.0, **arguments: Any) -> Any:
        line = json.dumps({"op": operation, "args": arguments}).encode() + b"\n"
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S + within_s):
                return await self._ask_patiently(line, operation)
        except TimeoutError as error:
            raise Transient("router_silent", op=operation) from error

    async def _ask_patiently(self, line: bytes, operation: str) -> Any:
        """Ask until answered: a router that restarts answers a moment later, and everything may be asked twice."""
        give_up: float | None = None
        while True:
            try:
                return _told(await self._exchange(line), operation)
            except Transient as error:
                now = time.monotonic()
                give_up = give_up or now + self._patience_s
                if error.code not in RESTARTING or now >= give_up:
                    raise
            await asyncio.sleep(ASK_AGAIN_S)

    async def _exchange(self, line: bytes) -> bytes:
        reader, writer = await self._connect()
        try:
            writer.write(line)
            return await reader.readline()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(self.socket_path, limit=LONGEST_LINE_BYTES)
        except OSError as error:
            raise Transient("router_unreachable", socket=str(self.socket_path), reason=error.strerror) from error


def _told(line: bytes, operation: str) -> Any:
    """What an answer says. Raises the error it carries, or Transient `router_unreachable` where it is cut off."""
    if not line.endswith(b"\n"):
        raise Transient("router_unreachable", op=operation, reason="hung up")
    answer = json.loads(line)
    error = answer.get("error")
    if error is None:
        return answer["ok"]
    raise (Transient if error["kind"] == "transient" else Permanent)(error["code"], **error["facts"])
