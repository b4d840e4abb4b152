"""Someone who uses a service all the while, and counts the requests that were answered and that failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp


@dataclass
class Usage:
    """Requests so far."""

    answered: int = 0
    failed: int = 0


@asynccontextmanager
async def used(http: aiohttp.ClientSession, url: str) -> AsyncIterator[Usage]:
    """Requests without a pause, while the block lasts."""
    usage = Usage()
    using = asyncio.create_task(_use(http, url, usage))
    try:
        yield usage
    finally:
        using.cancel()
        await asyncio.gather(using, return_exceptions=True)


async def _use(http: aiohttp.ClientSession, url: str, usage: Usage) -> None:
    while True:
        try:
            async with http.get(url) as reply:
                await reply.read()
                usage.answered += reply.status == 200
                usage.failed += reply.status != 200
        except aiohttp.ClientError:
            usage.failed += 1
