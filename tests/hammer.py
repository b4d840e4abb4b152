"""A client that never stops asking, on kept and on fresh connections, and counts what it is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

BREATH_S = 0.005
"""Between two requests, so that a small machine has time for what is tested too."""


class Hammer:
    """What was answered, by its text, and every request that was not answered well."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.enough = asyncio.Event()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    async def ask_on(self, *, kept: bool) -> None:
        """Ask until it is enough."""
        connector = TCPConnector(force_close=not kept)
        async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as session:
            while not self.enough.is_set():
                await self._ask(session)
                await asyncio.sleep(BREATH_S)

    async def _ask(self, session: ClientSession) -> None:
        try:
            async with session.get(self.url) as reply:
                text = (await reply.text()).strip()
        except (ClientError, OSError, TimeoutError) as error:
            self.failures.append(repr(error))
            return
        if reply.status != 200:
            self.failures.append(f"{reply.status} {text}")
        self.answers[text] += 1


@asynccontextmanager
async def hammering(url: str, clients: int = 2) -> AsyncIterator[Hammer]:
    """Ask the service without pause while the block runs."""
    hammer = Hammer(url)
    tasks = [asyncio.create_task(hammer.ask_on(kept=number % 2 == 0)) for number in range(clients)]
    try:
        yield hammer
    finally:
        hammer.enough.set()
        await asyncio.gather(*tasks)
