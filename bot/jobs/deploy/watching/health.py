"""Asks an instance from outside whether it is well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp

PROBE_LIMIT_S = 5.0
WELL = range(200, 400)
CHECKS_AFTER = 3
"""So often green is asked once it has everything, the way people reach it."""
REFUSED = "connection refused"
NO_CONNECTION = "no connection"
CLOSED = "the connection was closed"
NOBODY_LISTENS = frozenset({REFUSED, NO_CONNECTION, CLOSED})
"""What is wrong when nobody answers at the port; a forwarder in front of it closes the connection."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One health check: `ms` is how long the answer took; `why` says what was wrong, None when it was well."""

    ms: float
    status: int | None = None
    why: str | None = None

    @property
    def passed(self) -> bool:
        return self.why is None


async def probe(host: str, port: int, path: str, limit_s: float = PROBE_LIMIT_S) -> Probe:
    """Ask an instance at its address; see `probe_url`."""
    return await probe_url(f"http://{host}:{port}{path}", limit_s)


async def probe_url(url: str, limit_s: float = PROBE_LIMIT_S) -> Probe:
    """GET `url` once on a fresh connection; 2xx and 3xx are well. Redirects are not followed. Never raises."""
    started = time.perf_counter()

    def spent_ms() -> float:
        return round((time.perf_counter() - started) * 1000, 2)

    timeout = aiohttp.ClientTimeout(total=limit_s)
    headers = {"User-Agent": "shipmate-health", "Connection": "close"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(url, allow_redirects=False) as reply,
        ):
            await reply.content.read(64 * 1024)
            why = None if reply.status in WELL else f"answered {reply.status}"
            return Probe(spent_ms(), reply.status, why)
    except TimeoutError:
        return Probe(spent_ms(), why=f"no answer within {limit_s:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Probe(spent_ms(), why=_sentence(error))


async def checks_after(url: str, every_s: float) -> AsyncIterator[tuple[int, Probe]]:
    """Ask `url` for as often as green is asked after the switch: which one it was, from 1, and what was seen."""
    for number in range(1, CHECKS_AFTER + 1):
        if number > 1:
            await asyncio.sleep(every_s)
        yield number, await probe_url(url)


def _sentence(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return REFUSED if isinstance(error.os_error, ConnectionRefusedError) else NO_CONNECTION
    cut = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)
    return CLOSED if isinstance(error, cut) else type(error).__name__


async def wait_until_well(
    look: Callable[[], Awaitable[Probe]], limit_s: float, *, first_wait_s: float = 0.05, longest_wait_s: float = 1.0
) -> Probe:
    """Probe at once, then ever less often up to once a second, until one passes or the limit is over: the last one."""
    give_up_at = time.monotonic() + limit_s
    wait_s = first_wait_s
    while True:
        seen = await look()
        left_s = give_up_at - time.monotonic()
        if seen.passed or left_s <= 0:
            return seen
        await asyncio.sleep(min(wait_s, left_s))
        wait_s = min(wait_s * 1.5, longest_wait_s)
