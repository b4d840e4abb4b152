"""A thread that copies what was committed from the write-ahead log into the file, so that no commit waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path

from storage.engine.connection import connect

PAUSE_S = 0.1


class Checkpointer:
    """Copies soon after commits, and rests when there are none.

    A passive checkpoint stops neither readers nor the writer (https://www.sqlite.org/wal.html#ckpt). One that fails is
    left to the next: what it copies is safe in the log, and the writer itself copies once the log has grown long.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipmate-checkpointer", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """There is something to copy."""
        if not self._due.is_set():
            self._due.set()

    async def close(self) -> None:
        """End the thread. Repeatable."""
        self._stopping.set()
        self._due.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while not self._stopping.is_set():
            self._due.wait()
            self._due.clear()
            with contextlib.suppress(sqlite3.Error):
                connection = connection or connect(self._path)
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._stopping.wait(PAUSE_S)
        if connection is not None:
            connection.close()
