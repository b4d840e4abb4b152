"""Ends a server between any two of its steps: what it changes is counted, and after the fatal step it does nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from bot.ports.engines import Engine
from bot.store.store import Store

ONLY_LOOKS = frozenset(
    {
        *("acted_on", "active", "ahead_in_lane", "all_active", "all_open", "behind", "called", "due", "ending"),
        *("environments", "events", "expired", "facts", "find", "get", "given", "heartbeat", "held", "is_kept"),
        *("known", "lane_seconds", "last_seq", "latest_head", "lease_owners", "line", "log_tail", "look"),
        *("named", "named_now", "names", "newest", "of", "of_commit", "of_job", "of_jobs", "output", "owned", "page"),
        *("people", "put_before", "recent", "service_url", "serving", "several", "state", "stats", "story"),
        *("targets", "trusted_pull", "unfinished_in", "unknown", "verify", "with_image"),
    }
)
"""Calls that change nothing: no step of a life."""


class Life:
    """Counts steps; after the fatal one everything stops. `fatal_step` 0 never comes.

    `fatal_call` names a call instead, before which it stops: what comes before that was done, and was not noted.
    """

    def __init__(self, fatal_step: int = 0) -> None:
        self.fatal_step = fatal_step
        self.fatal_call = ""
        self.steps = 0
        self.over = asyncio.Event()
        self.buried = asyncio.Event()

    async def end(self) -> None:
        """Hold still until the process is taken away."""
        self.over.set()
        await self.buried.wait()
        raise asyncio.CancelledError

    def bury(self) -> None:
        """Take the process away."""
        self.over.set()
        self.buried.set()


class Mortal:
    """A part of the house whose changes are steps of a life."""

    def __init__(self, part: Any, life: Life) -> None:
        self._part = part
        self._life = life

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._part, name)
        return self._stepping(name, whole) if callable(whole) and name not in ONLY_LOOKS else whole

    def _stepping(self, name: str, call: Any) -> Any:
        async def step(*given: Any, **named: Any) -> Any:
            if self._life.over.is_set():
                raise asyncio.CancelledError
            if name == self._life.fatal_call:
                await self._life.end()
            done = await call(*given, **named)
            if name == "claim" and not done:
                return done
            self._life.steps += 1
            if self._life.steps == self._life.fatal_step:
                await self._life.end()
            return done

        return step


def mortal_store(store: Store, life: Life) -> Store:
    """The store, every write of which is a step."""
    return Store(**{field.name: Mortal(getattr(store, field.name), life) for field in dataclasses.fields(store)})


def mortal_engine(engine: Engine, life: Life) -> Engine:
    """The engine, every change at which is a step."""
    parts = {name: Mortal(getattr(engine, name), life) for name in ("builder", "registry", "target", "traffic")}
    return Engine(engine.name, **parts)
