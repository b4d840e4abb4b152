"""Finds out from outside whether a target can serve: a TCP connect, or one HTTP request where a path is given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bot.engines.router.model import Target
from bot.engines.router.switch import Health, LiveService, LiveTarget

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class Prober:
    """One task for each target that is not proven, until it is healthy or gone."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._tasks: dict[LiveTarget, asyncio.Task[None]] = {}

    def watch(self, service: LiveService, target: LiveTarget) -> None:
        """Probe the target until it is healthy; while that goes on, asking again changes nothing."""
        if target not in self._tasks:
            self._tasks[target] = asyncio.get_running_loop().create_task(self._probe(service, target))

    async def proves(self, target: LiveTarget) -> bool:
        """Whether the target answers at this moment."""
        return await serves(target.spec, self._timeout_s)

    async def close(self) -> None:
        """Stop all probing."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe(self, service: LiveService, target: LiveTarget) -> None:
        try:
            await self._until_healthy(service, target)
        finally:
            del self._tasks[target]

    async def _until_healthy(self, service: LiveService, target: LiveTarget) -> None:
        for pause_s in _pauses():
            if service.targets.get(target.spec.id) is not target:
                return
            if await serves(target.spec, self._timeout_s):
                service.found(target, Health.HEALTHY)
                return
            service.found(target, Health.UNHEALTHY)
            await asyncio.sleep(pause_s)


async def serves(target: Target, timeout_s: float) -> bool:
    """Whether the target answers now: 2xx or 3xx on its probe path, or an open port where it has none."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(target.host, target.port)
            try:
                return target.probe_path is None or await _answers_well(reader, writer, target)
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False


async def _answers_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target) -> bool:
    lines = (
        f"GET {target.probe_path} HTTP/1.1",
        f"Host: {target.host}:{target.port}",
        "User-Agent: shipmate-router-probe",
        "Connection: close",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    version, status, *_ = (await reader.readline()).split(maxsplit=2)
    return version.startswith(b"HTTP/1.") and status[:1] in (b"2", b"3")


def _pauses() -> Iterator[float]:
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
