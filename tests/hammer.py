"""Clients that never stop asking, on kept and on fresh connections, and count what they are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

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
                await self.ask(session)

    async def ask(self, session: ClientSession) -> None:
        """Once, and breathe."""
        answered = await self.answer(session, "GET")
        if answered is not None:
            self.answers[answered] += 1
        await asyncio.sleep(BREATH_S)

    async def answer(self, session: ClientSession, method: str, body: bytes | None = None) -> str | None:
        """What a request is answered; None when it failed altogether. Whatever is not 200 is counted as a failure."""
        try:
            async with session.request(method, self.url, data=body) as reply:
                text = (await reply.text()).strip()
        except (ClientError, OSError, TimeoutError) as error:
            self.failures.append(f"{method}: {error!r}")
            return None
        if reply.status != 200:
            self.failures.append(f"{method}: {reply.status} {text}")
        return text


Asking = TypeVar("Asking", bound=Hammer)


@asynccontextmanager
async def swung(hammer: Asking, clients: int) -> AsyncIterator[Asking]:
    """Ask without pause while the block runs, half of the clients over kept connections."""
    tasks = [asyncio.create_task(hammer.ask_on(kept=number % 2 == 0)) for number in range(clients)]
    try:
        yield hammer
    finally:
        hammer.enough.set()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def hammering(url: str, clients: int = 2) -> AsyncIterator[Hammer]:
    """Ask the service without pause while the block runs."""
    async with swung(Hammer(url), clients) as hammer:
        yield hammer
