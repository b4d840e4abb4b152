"""Keeps what a handler opened between its calls, so that only the first one of a process waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

Opened = TypeVar("Opened")
Result = TypeVar("Result")


class Warm(Generic[Opened]):
    """One event loop, and one thing opened in it at the first call. A failed opening is tried again at the next.

    AWS runs one call at a time in a process, and ends the process without a word: nothing is closed.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Opened]]) -> None:
        self._opening = opening
        self._runner: asyncio.Runner | None = None
        self._open: tuple[AbstractAsyncContextManager[Opened], Opened] | None = None

    def run(self, work: Callable[[Opened], Awaitable[Result]]) -> Result:
        """Do the work with what is open, to its end."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._with_it(work))

    async def _with_it(self, work: Callable[[Opened], Awaitable[Result]]) -> Result:
        if self._open is None:
            entered = self._opening()
            self._open = entered, await entered.__aenter__()
        return await work(self._open[1])
