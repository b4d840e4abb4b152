"""Tells loops that wait when something was committed, here or by another process."""

from __future__ import annotations

import asyncio


class Changes:
    """Counts commits as this process learns of them."""

    def __init__(self) -> None:
        self.version = 0
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def awaited(self) -> bool:
        """Whether anyone waits, so that looking for other processes' commits is worth while."""
        return bool(self._waiters)

    def happened(self) -> None:
        """Wake all that wait."""
        self.version += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout_s: float) -> None:
        """Return at the next change, or after `timeout_s` seconds."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=timeout_s)
        finally:
            self._waiters.discard(waiter)


class Watch:
    """One loop's own view of the changes: what was committed while it worked does not get lost."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._seen = changes.version

    async def wait(self, timeout_s: float) -> None:
        """Return at once when something changed since the last return, else at the next change or the timeout."""
        if self._changes.version == self._seen:
            await self._changes.wait(timeout_s)
        self._seen = self._changes.version
