"""A job's live log: lines are masked, gathered for a moment, and written as events, within a limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from bot.errors import Transient
from bot.masking import Masker
from bot.model import EventType, NewEvent, Stage

FLUSH_EVERY_S = 0.15
EVENT_BYTES = 48 * 1024
LINE_CHARACTERS = 2000
KEPT_BYTES = 4 * 1024 * 1024
"""Per job. What comes after is counted, and its last lines are written when the log ends."""
TAIL_LINES = 200
RECENT_LINES = 2000
"""Kept in memory while the job runs, for who reads the output of a step that failed."""

Append = Callable[[Sequence[NewEvent]], Awaitable[object]]


class JobLog:
    """Takes lines from any stage; `line` never blocks. One flusher task owns the writing."""

    def __init__(self, append: Append, masker: Masker) -> None:
        self._append = append
        self._masker = masker
        self._waiting: list[str] = []
        self._waiting_bytes = 0
        self._kept_bytes = 0
        self._left_out = 0
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._recent: deque[str] = deque(maxlen=RECENT_LINES)
        self._stage: Stage | None = None
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def enter(self, stage: Stage) -> None:
        """Lines from now on belong to this stage. Call `flush` first."""
        self._stage = stage

    def line(self, text: str) -> None:
        """One line of output, cut when it is too long."""
        cut = text if len(text) <= LINE_CHARACTERS else f"{text[:LINE_CHARACTERS]} … ({len(text)} characters)"
        self._recent.append(cut)
        size = len(cut) + 1
        if self._kept_bytes + size > KEPT_BYTES:
            self._left_out += 1
            self._tail.append(cut)
            return
        self._kept_bytes += size
        self._waiting.append(cut)
        self._waiting_bytes += size
        if self._waiting_bytes >= EVENT_BYTES:
            self._wake.set()

    def recent(self) -> list[str]:
        """The last lines of the log, at most `RECENT_LINES`, masked."""
        return self._masker.mask("\n".join(self._recent)).split("\n") if self._recent else []

    async def run(self) -> None:
        """Write what gathers until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), FLUSH_EVERY_S)
            self._wake.clear()
            with contextlib.suppress(Transient):  # what waits goes out with the next
                await self.flush()

    async def flush(self) -> None:
        """Write what waits, in events of a bounded size. What a busy store does not take waits on; raises Transient."""
        async with self._writing:
            while self._waiting:
                batch = self._cut_batch()
                try:
                    await self._append([self._event(batch)])
                except Transient:
                    self._put_back(batch)
                    raise

    async def take(self, lines: Sequence[str]) -> list[NewEvent]:
        """Lines of output as events, for one who stores them in a transaction of their own; what waited goes first."""
        async with self._writing:
            for line in lines:
                self.line(line)
            events: list[NewEvent] = []
            while self._waiting:
                events.append(self._event(self._cut_batch()))
            return events

    async def close(self) -> None:
        """Write the rest: how much was left out, and the last lines of it."""
        if self._left_out:
            hidden = self._left_out - len(self._tail)
            lines = [f"… {hidden} lines left out: a job's log is kept to {KEPT_BYTES // 1024 // 1024} MiB …"]
            self._waiting += [*lines, *self._tail] if hidden else list(self._tail)
            self._left_out = 0
            self._tail.clear()
        await self.flush()

    def _event(self, lines: Sequence[str]) -> NewEvent:
        masked = self._masker.mask("\n".join(lines)).split("\n")
        return NewEvent(EventType.LOG_WRITTEN, f"{len(masked)} lines", self._stage, {"lines": masked})

    def _cut_batch(self) -> list[str]:
        size = count = 0
        for line in self._waiting:
            size += len(line) + 1
            if count and size > EVENT_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes = max(0, self._waiting_bytes - sum(len(line) + 1 for line in batch))
        return batch

    def _put_back(self, batch: list[str]) -> None:
        self._waiting = batch + self._waiting
        self._waiting_bytes += sum(len(line) + 1 for line in batch)
