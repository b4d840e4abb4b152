"""People who use a service while it is deployed: clients that never stop asking, and count what they were answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

PAUSE_S = 0.005
"""Between two requests, so that a small machine has time for what is tested too."""


async def answer_of(url: str) -> str:
    """What one request gets: `200 hello`."""
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return f"{reply.status} {await reply.text()}"


@asynccontextmanager
async def people(url: str, many: int = 2) -> AsyncIterator[Counter[str]]:
    """So many who ask all the time; what they were answered, with the name of the fault where they were not."""
    seen: Counter[str] = Counter()

    async def ask(session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.get(url) as reply:
                    seen[f"{reply.status} {await reply.text()}"] += 1
            except aiohttp.ClientError as error:
                seen[type(error).__name__] += 1
            await asyncio.sleep(PAUSE_S)

    async with aiohttp.ClientSession() as session:
        asking = [asyncio.create_task(ask(session)) for _ in range(many)]
        yield seen
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
