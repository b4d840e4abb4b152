"""How far an analysis is: what it tells while it works."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass


class Stage(enum.StrEnum):
    """What an analysis is doing."""

    CLONING = "cloning"
    WALKING = "walking"
    DIFFING = "diffing"
    BLAMING = "blaming"
    REPORTING = "reporting"


@dataclass(frozen=True, slots=True)
class Progress:
    """Done and in all: commits are counted while walking (their total is unknown then: 0), pairs, then files."""

    stage: Stage
    commits: int = 0
    pairs_done: int = 0
    pairs: int = 0
    files_done: int = 0
    files: int = 0


Listener = Callable[[Progress], None]


class ProgressTeller:
    """Counts work from any thread and tells the listener now and then, so that telling costs nothing."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._stage = Stage.WALKING
        self._counts = dict.fromkeys(("commits", "pairs_done", "pairs", "files_done", "files"), 0)

    def enter(self, stage: Stage, **counts: int) -> None:
        """Begin a stage; named counts are set."""
        with self._lock:
            self._stage = stage
            self._counts.update(counts)
        self.tell()

    def step(self, name: str, by: int = 1) -> None:
        """Count up and tell."""
        with self._lock:
            self._counts[name] += by
        self.tell()

    def tell(self) -> None:
        """Tell the listener where things stand."""
        self._listener(Progress(self._stage, **self._counts))
