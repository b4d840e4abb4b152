"""What the acts of the demo play on: the simulators, the server's address, what is said, and how long to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from rich.console import Console

from bot import messages
from bot.errors import ShipmateError
from bot.sandbox.sandbox import Sandbox

PERSON = "alice"
JOB_LIMIT_S = 300.0
ANSWER_LIMIT_S = 30.0
LOOK_S = 0.05

Found = TypeVar("Found")


@dataclass
class Shown:
    """What the demo saw, for its summary."""

    links: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """`address` is the server's, `locale` of all that is said; `began` a moment of `time.monotonic`."""

    console: Console
    locale: str
    sandbox: Sandbox
    address: str
    http: aiohttp.ClientSession
    shown: Shown
    began: float

    def words(self, key: str, **facts: Any) -> str:
        """A sentence of the demo's, in its language."""
        return messages.say(self.locale, f"demo.{key}", **facts)

    def say(self, who: str, key: str, style: str = "", **facts: Any) -> None:
        """One line: seconds since the start, who, a sentence of the demo's."""
        self.show(who, self.words(key, **facts), style)

    def show(self, who: str, what: str, style: str = "") -> None:
        """The same with words that somebody else said."""
        self.console.print(f"{time.monotonic() - self.began:6.1f} s  {who:<12}", end=" ", style="dim", markup=False)
        self.console.print(what, style=style, markup=False, highlight=False)

    def environment_url(self, repository: str) -> str:
        """What GitHub shows as the environment's address; empty where it shows none."""
        urls = [s.environment_url for d in self.sandbox.github.deployments(repository) for s in d.statuses]
        return next((url for url in reversed(urls) if url), "")


@asynccontextmanager
async def within(limit_s: float, waited_for: str) -> AsyncIterator[None]:
    """Raises ShipmateError("demo_waited_in_vain") when the block takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise ShipmateError("demo_waited_in_vain", waited_for=waited_for, limit_s=limit_s) from error


async def found(look: Callable[[], Found | None], limit_s: float, waited_for: str) -> Found:
    """What `look` finds, once it finds something. Raises ShipmateError("demo_waited_in_vain")."""
    async with within(limit_s, waited_for):
        while True:
            if (seen := look()) is not None:
                return seen
            await asyncio.sleep(LOOK_S)
