"""Keeps the states of repositories between runs: a few in memory, more on disk; the least recently used go."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from bot.jobs.analysis.repositories.sizes import file_bytes, last_used
from bot.jobs.analysis.runs.state import State
from bot.jobs.analysis.runs.statefile import load, save

MIB = 1 << 20
LONGEST_WRITE_S = 3600.0

log = logging.getLogger("shipmate.analysis")


class States:
    """States by name, for the runs of one worker. `folder` is made on the first use; `disk_bytes` caps what is in it.

    A state is taken out to be worked on and put back when the work is done, so that two runs never share one, and one
    that a failing run left half-done is never seen again.
    """

    def __init__(self, folder: Path, *, in_memory: int = 8, disk_bytes: int = 512 * MIB) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._disk_bytes = disk_bytes
        self._warm: OrderedDict[str, State] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> State | None:
        """The state of that name, which is then no longer in memory; None where there is none."""
        with self._lock:
            state = self._warm.pop(name, None)
        return state or load(self._path(name))

    def put(self, name: str, state: State, *, durable: bool = True) -> None:
        """Keep a state in memory, and on disk where `durable`; where the disk takes none, in memory alone.

        The analysis it comes from is done: a full disk costs the next worker time, and nobody an answer.
        """
        with self._lock:
            self._warm[name] = state
            while len(self._warm) > self._in_memory:
                self._warm.popitem(last=False)
        if durable:
            try:
                save(state, self._path(name))
            except OSError as error:
                log.warning("a state of an analysis could not be kept", extra={"reason": str(error)})
            self._make_room()

    def _path(self, name: str) -> Path:
        return self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + ".state")

    def _make_room(self) -> None:
        """Remove the files used longest ago until the rest is within the cap; the newest one always stays.

        What a process left half-written that was killed goes too, once nobody can be at it any more.
        """
        for left in self._folder.glob("*.new"):
            if last_used(left) < time.time() - LONGEST_WRITE_S:
                left.unlink(missing_ok=True)
        files = sorted(self._folder.glob("*.state"), key=last_used, reverse=True)
        total = 0
        for place, file in enumerate(files):
            total += file_bytes(file)
            if place and total > self._disk_bytes:
                file.unlink(missing_ok=True)
