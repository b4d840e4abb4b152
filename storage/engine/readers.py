"""A few threads that only read, so that no query ever holds up the event loop or the writer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from storage.engine.connection import connect_reader
from storage.engine.faults import is_fault, translated

T = TypeVar("T")
THREADS = 3


class Readers:
    """Runs units that read, each over one unchanging view of the file; those that only glance share theirs."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="shipmate-reader")
        self._mine = threading.local()
        self._all: set[sqlite3.Connection] = set()
        self._glances: list[Callable[[sqlite3.Connection], Any]] = []
        self._seen: asyncio.Task[list[Any]] | None = None

    async def read(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """The unit's answer. Raises Transient when the file cannot be read now."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, unit)

    async def glance(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for a quick unit: those of one turn of the event loop are run together, one after another.

        A commit wakes every loop of the house to ask if there is something for it; to wake a thread for each of them
        costs more than what they ask. One that fails does so alone, unless the file itself could not be read.
        """
        if self._seen is None or not self._glances:
            self._seen = asyncio.create_task(self._look(), name="store glances")
        self._glances.append(unit)
        place, seen = len(self._glances) - 1, self._seen
        answer: T | Exception = (await asyncio.shield(seen))[place]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Wait for what is being read, then close."""
        if self._seen is not None:
            await asyncio.wait({self._seen})
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._all:
            connection.close()

    async def _look(self) -> list[Any]:
        """What each glance that waits sees, or its error, in their order."""
        units, self._glances = self._glances, []
        return await self.read(lambda connection: [_outcome(unit, connection) for unit in units])

    def _run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connected()
            connection.execute("BEGIN")
            try:
                return unit(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if is_fault(error):
                self._disconnect()
            raise translated(error) from error

    def _connected(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = connect_reader(self._path, busy_timeout_s=self._busy_timeout_s)
            self._all.add(connection)
        return connection

    def _disconnect(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is not None:
            self._mine.connection = None
            self._all.discard(connection)
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _outcome(unit: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T | Exception:
    try:
        return unit(connection)
    except Exception as error:
        if is_fault(error):
            raise
        return error
