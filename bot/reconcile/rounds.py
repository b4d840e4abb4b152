"""Makes the rounds, on start and on timers: each look on its own, none able to stop another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import ShipmateError

log = logging.getLogger("shipmate.reconcile")


@dataclass(frozen=True, slots=True)
class Round:
    """One look, and how many seconds pass between two of it."""

    name: str
    look: Callable[[], Awaitable[object]]
    every_s: float


class Rounds:
    """Owns one task a round."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self.rounds = rounds

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for one in self.rounds:
                group.create_task(self._repeat(one), name=f"round {one.name}")

    async def _repeat(self, one: Round) -> None:
        while True:
            try:
                await one.look()
            except ShipmateError as error:
                log.warning("a round was not finished", extra={"round": one.name, "code": error.code})
            except Exception:
                log.exception("a round failed", extra={"round": one.name})
            await asyncio.sleep(one.every_s)
