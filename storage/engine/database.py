"""The one database: units of work go to its writer or its readers, and loops can wait for its changes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bot.errors import Transient
from storage.engine.changes import Changes, Watch
from storage.engine.checkpoints import Checkpointer
from storage.engine.connection import BUSY_TIMEOUT_S, path_of
from storage.engine.readers import Readers
from storage.engine.writer import Writer

T = TypeVar("T")
LOOK_S = 0.15
"""How often other processes' commits are looked for while somebody waits."""


class Database:
    """One SQLite file, open. Several processes may have it open at once."""

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """Open inside a running loop; nothing is created here, see `migrations.migrate`."""
        path = path_of(url)
        self._changes = Changes()
        self._checkpointer = Checkpointer(path)
        self._writer = Writer(path, busy_timeout_s, self._committed)
        self._readers = Readers(path, busy_timeout_s)
        self._look = asyncio.create_task(self._look_for_others(), name="store changes")

    async def write(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Run `unit` in a transaction; what it wrote is on disk when this returns.

        Units that wait together share one commit, and one that raises is undone alone. The unit must not block
        or await. Raises what the unit raised, or Transient when the file is busy, full or out of reach.
        """
        result: T = await self._writer.write(unit)
        return result

    async def write_folded(self, many: Callable[[sqlite3.Connection, list[Any]], Sequence[T]], item: Any) -> T:
        """As `write`, but all items that wait for the same `many` are handed to it in one call."""
        result: T = await self._writer.write_folded(many, item)
        return result

    async def read(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Run `unit`, which only reads, over one view of the file. Raises Transient as `write` does."""
        return await self._readers.read(unit)

    async def glance(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for the quick question of a loop that a change woke: those asked at once are run together."""
        return await self._readers.glance(unit)

    async def require_working(self) -> None:
        """Raises Transient as `write` does: where it cannot be read, or could not be written to and still cannot."""
        await self.read(lambda c: c.execute("SELECT 1").fetchone())
        if self._writer.fault is not None:
            await self.write(_touched)

    def watch(self) -> Watch:
        """A view of the changes for one loop; see `Watch.wait`."""
        return Watch(self._changes)

    async def wait_for_change(self, timeout_s: float) -> None:
        """Return at the next commit of any process, or after `timeout_s` seconds."""
        await self._changes.wait(timeout_s)

    async def close(self) -> None:
        """Write what waits, end the threads. Repeatable."""
        self._look.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._look
        await self._writer.close()
        await self._readers.close()
        await self._checkpointer.close()

    def _committed(self) -> None:
        self._changes.happened()
        self._checkpointer.committed()

    async def _look_for_others(self) -> None:
        """Wake those who wait when another process committed.

        Asked on the writing connection, whose own commits do not move `data_version`
        (https://www.sqlite.org/pragma.html#pragma_data_version).
        """
        seen = None
        while True:
            if seen is None or self._changes.awaited:
                with contextlib.suppress(Transient):
                    version = await self._writer.outside(_data_version)
                    if seen is not None and version != seen:
                        self._changes.happened()
                    seen = version
            await asyncio.sleep(LOOK_S)


def _data_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _touched(connection: sqlite3.Connection) -> None:
    """Write the first page as it is: what a full disk, or one that may only be read, refuses."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {int(version)}")
