"""Runs one analysis in the calling thread: opens the repository, and lets git begin before the rest is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.jobs.analysis.blame.treewalk import walk
from bot.jobs.analysis.progress import Listener, ProgressTeller
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import open_at
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.collecting import rarely_collecting

if TYPE_CHECKING:
    from bot.jobs.analysis.reports.report import Report
    from bot.jobs.analysis.runs.resident import States


def analyse_here(
    request: AnalysisRequest, progress: Listener, children: Children | None = None, states: States | None = None
) -> Report:
    """Analyse one repository in this thread. Raises Cancelled once `children.cancel()` was called elsewhere."""
    repository, head = open_at(request.repository, request.ref)
    git = Git(repository.objects, head, children or Children(), max_blob_bytes=request.max_blob_bytes)
    with git, rarely_collecting():
        kept = None if request.ignore_revs else states
        commits = walk(git, git.head) if kept is None else ()
        from bot.jobs.analysis.runs.steps import Analysis  # takes as long as git needs to sort a history

        analysis = Analysis(git, request, ProgressTeller(progress))
        return analysis.cold(commits) if kept is None else analysis.kept(repository, kept)
