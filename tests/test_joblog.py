"""A job's log loses no line to a store that is busy, and goes on by itself when the store is back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.errors import Transient
from bot.jobs.joblog import EVENT_BYTES, JobLog
from bot.masking import Masker
from bot.model import NewEvent


@dataclass
class Shelf:
    """Takes events, unless it is busy."""

    busy: bool = False
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    lines: list[str] = field(default_factory=list)

    async def take(self, events: Sequence[NewEvent]) -> None:
        if self.busy:
            self.refused.set()
            raise Transient("store_busy")
        for event in events:
            self.lines += event.details["lines"]
        self.filled.set()


async def test_lines_that_a_busy_store_does_not_take_are_written_in_order_by_the_next_flush() -> None:
    shelf = Shelf(busy=True)
    log = JobLog(shelf.take, Masker())
    log.line("one")
    with pytest.raises(Transient):
        await log.flush()
    log.line("two")
    shelf.busy = False
    await log.flush()
    assert shelf.lines == ["one", "two"]


async def test_a_log_that_met_a_busy_store_goes_on_writing_by_itself() -> None:
    shelf = Shelf(busy=True)
    log = JobLog(shelf.take, Masker())
    writing = asyncio.create_task(log.run())
    log.line("one")
    async with asyncio.timeout(10):
        await shelf.refused.wait()
        shelf.busy = False
        await shelf.filled.wait()
    writing.cancel()
    assert shelf.lines == ["one"]


async def test_a_batch_that_was_put_back_is_still_cut_to_the_size_of_an_event() -> None:
    shelf = Shelf(busy=True)
    log = JobLog(shelf.take, Masker())
    written = [f"{number:04} {'x' * 500}" for number in range(3 * EVENT_BYTES // 500)]
    for line in written:
        log.line(line)
    with pytest.raises(Transient):
        await log.flush()
    shelf.busy = False
    await log.flush()
    assert shelf.lines == written
