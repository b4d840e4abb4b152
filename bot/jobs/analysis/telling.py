"""Tells a job's events how far its analysis is: now and then, the newest state alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot import messages
from bot.jobs.analysis.progress import Listener, Progress
from bot.jobs.context import JobContext
from bot.model import EventType

EVERY_S = 1.0


@asynccontextmanager
async def told(context: JobContext, repository: str, locale: str) -> AsyncIterator[Listener]:
    """A listener that any thread may call while the block runs."""
    board = _Board()
    teller = asyncio.create_task(_tell(context, repository, locale, board), name=f"progress {context.job.id}")
    try:
        yield board.put
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)


class _Board:
    """Holds the newest progress: assigning it is one step in any thread."""

    def __init__(self) -> None:
        self.newest: Progress | None = None

    def put(self, progress: Progress) -> None:
        self.newest = progress


async def _tell(context: JobContext, repository: str, locale: str, board: _Board) -> None:
    shown: Progress | None = None
    while True:
        if board.newest is not None and board.newest != shown:
            shown = board.newest
            sentence = in_words(shown, locale)
            details = {"repository": repository, **counts(shown)}
            await context.tell(EventType.STAGE_PROGRESSED, sentence, None, analysis=details)
            context.log.line(f"{repository}: {sentence}")
        await asyncio.sleep(EVERY_S)


def counts(progress: Progress) -> dict[str, int | str]:
    """As the API shows it: commits read, pairs of versions compared, files blamed, each with how many in all."""
    return {
        "phase": progress.stage.value,
        "commits": progress.commits,
        "pairsDone": progress.pairs_done,
        "pairs": progress.pairs,
        "filesDone": progress.files_done,
        "files": progress.files,
    }


def in_words(progress: Progress, locale: str) -> str:
    """One line for people."""
    return messages.say(locale, f"analysis.progress.{progress.stage.value}", **counts(progress))
