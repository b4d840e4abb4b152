"""Work that is put together with the first job of its kind: what few servers need costs none a slow start."""

from __future__ import annotations

from collections.abc import Callable

from bot.jobs.context import Ending, Failure, JobContext, Work


class LateWork:
    """`bot.jobs.context.Work`, made by `make` when it is needed, once."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._make = make
        self._made: Work | None = None

    async def run(self, context: JobContext) -> Ending:
        return await self._work().run(context)

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        return await self._work().undo(context, failure)

    def _work(self) -> Work:
        self._made = self._made or self._make()
        return self._made
