"""A few threads that only read, so that no query ever holds up the event loop or the writer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
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
        self._glances: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []
        self._looking: asyncio.Task[None] | None = None

    async def read(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """The unit's answer. Raises Transient when the file cannot be read now."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, unit)

    async def glance(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for a quick unit: those of one turn of the event loop are run together, one after another.

        A commit wakes every loop of the house to ask if there is something for it; to wake a thread for each of them
        costs more than what they ask. One that fails does so alone, unless the file itself could not be read.
        """
        seen: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if not self._glances:
            self._looking = asyncio.create_task(self._look(), name="store glances")
        self._glances.append((unit, seen))
        return await seen

    async def close(self) -> None:
        """Wait for what is being read, then close."""
        if self._looking is not None:
            await asyncio.wait({self._looking})
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._all:
            connection.close()

    async def _look(self) -> None:
        """Answer every glance that waits."""
        glances, self._glances = self._glances, []
        outcomes: Sequence[Any]
        try:
            outcomes = await self.read(lambda connection: [_outcome(unit, connection) for unit, _ in glances])
        except Exception as error:  # noqa: BLE001  whoever glances gets it
            outcomes = [error] * len(glances)
        for (_, seen), outcome in zip(glances, outcomes, strict=True):
            _tell(seen, outcome)

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


def _tell(seen: asyncio.Future[Any], outcome: Any) -> None:
    """Hand over what was seen, or the error, unless who asked has gone."""
    if seen.done():
        return
    if isinstance(outcome, Exception):
        seen.set_exception(outcome)
    else:
        seen.set_result(outcome)
