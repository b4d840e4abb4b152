"""Runs the work of an analysis for a server: in a thread, and cancellable."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from bot.errors import Permanent
from bot.jobs.analysis.progress import Listener
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.run import analyse_here

_Found = TypeVar("_Found")


async def analyse(request: AnalysisRequest, progress: Listener, states: States | None = None) -> Report:
    """Analyse one repository in a thread. Cancelling the task really stops git, and waits until it has stopped.

    `progress` is called from other threads, often. With `states`, a later run on a descendant of the same ref looks
    only at what is new. Raises UserMistake, Refused or Permanent (worded in `bot.wording`).
    """
    return await in_a_thread(lambda children: analyse_here(request, progress, children, states))


async def in_a_thread(work: Callable[[Children], _Found], pool: Executor | None = None) -> _Found:
    """Run `work`, which starts its processes with the children it is given, in a thread of `pool`.

    Cancelling the task stops those processes, and waits until the work has ended. Raises Permanent("disk_full") where
    the work found no room.
    """
    children = Children()
    running = asyncio.get_running_loop().run_in_executor(pool, work, children)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        children.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # it was stopped: what that made it raise is of no interest
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Permanent("disk_full") from error
