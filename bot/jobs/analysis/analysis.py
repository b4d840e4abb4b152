"""Runs an analysis for a server, in a thread and cancellable; `request` says what can be asked, `report` the answer."""

from __future__ import annotations

import asyncio

from bot.jobs.analysis.children import Children
from bot.jobs.analysis.progress import Listener
from bot.jobs.analysis.report import Report
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.resident import States
from bot.jobs.analysis.run import analyse_here


async def analyse(request: AnalysisRequest, progress: Listener, states: States | None = None) -> Report:
    """Analyse one repository in a thread. Cancelling the task really stops git, and waits until it has stopped.

    `progress` is called from other threads, often. With `states`, a later run on a descendant of the same ref looks
    only at what is new. Raises UserMistake, Refused or Permanent (worded in `sentences`).
    """
    children = Children()
    work = asyncio.get_running_loop().run_in_executor(None, analyse_here, request, progress, children, states)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        children.cancel()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # it was stopped: what that made it raise is of no interest
        raise
