"""Waits for what happens elsewhere, in another process or on the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.patience import ENOUGH_S

LOOK_AGAIN_S = 0.05


async def until(happened: Callable[[], bool]) -> None:
    """Return once it happened. Raises TimeoutError."""

    async def look() -> bool:
        return happened()

    await until_told(look)


async def until_told(happened: Callable[[], Awaitable[bool]]) -> None:
    """The same for what must be asked for."""
    async with asyncio.timeout(ENOUGH_S):
        while not await happened():  # noqa: ASYNC110 - nobody here could set an event
            await asyncio.sleep(LOOK_AGAIN_S)
