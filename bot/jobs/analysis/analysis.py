"""Runs one analysis from start to end; what can be asked is in `request`, what is answered in `report`."""

from __future__ import annotations

import asyncio
import dataclasses

from bot.jobs.analysis.blame import Blame, Walked, blame_tree, walk_and_diff
from bot.jobs.analysis.children import Children
from bot.jobs.analysis.composition import Findings, compose
from bot.jobs.analysis.git import Git
from bot.jobs.analysis.headfiles import HeadFiles, list_files
from bot.jobs.analysis.history import Changes, History
from bot.jobs.analysis.ignorerevs import concerned, ignored_revisions, write_list
from bot.jobs.analysis.oracle import Oracle, sample
from bot.jobs.analysis.progress import Listener, ProgressTeller
from bot.jobs.analysis.proof import Prover
from bot.jobs.analysis.report import Report
from bot.jobs.analysis.repository import open_repository
from bot.jobs.analysis.request import AnalysisRequest


async def analyse(request: AnalysisRequest, progress: Listener) -> Report:
    """Analyse one repository in a thread. Cancelling the task really stops git, and waits until it has stopped.

    `progress` is called from other threads, often. Raises UserMistake, Refused or Permanent (see `sentences`).
    """
    children = Children()
    work = asyncio.get_running_loop().run_in_executor(None, analyse_here, request, progress, children)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        children.cancel()
        await asyncio.wait([work])
        work.exception()  # it was cancelled: what that made it raise is of no interest
        raise


def analyse_here(request: AnalysisRequest, progress: Listener, children: Children | None = None) -> Report:
    """Analyse one repository in this thread. Raises Cancelled once `children.cancel()` was called elsewhere."""
    repository = open_repository(request.repository)
    head = repository.resolve(request.ref)
    with Git(repository.objects, head, children or Children(), max_blob_bytes=request.max_blob_bytes) as git:
        return _ColdRun(git, request, ProgressTeller(progress)).report()


class _ColdRun:
    """One analysis that starts from nothing."""

    def __init__(self, git: Git, request: AnalysisRequest, teller: ProgressTeller) -> None:
        self._git = git
        self._request = request
        self._teller = teller
        self._history = History()
        self._changes = Changes()

    def report(self) -> Report:
        """Blame, count, prove; where git differs from us, git is right and blames every file."""
        files = list_files(self._git)
        walked = self._walk(files)
        oracle = Oracle(self._git, self._history.number)
        sampled = sample(files.text, self._request.oracle_files, self._git.head)
        with Prover(oracle, sampled) as prover:
            blame = blame_tree(walked, self._history, self._teller, prover.keep)
            self._pass_over_ignored(walked, blame)
            report = compose(self._git, self._request, self._findings(files, blame))
            proof = prover.compare()
        if proof.differing:
            self._blame_with_git(oracle, files, blame)
            self._pass_over_ignored(walked, blame)
            report = compose(self._git, self._request, self._findings(files, blame))
        return dataclasses.replace(report, proof=proof)

    def _walk(self, files: HeadFiles) -> Walked:
        return walk_and_diff(
            self._git,
            list(files.text),
            self._history,
            self._changes,
            self._teller,
            self._request.jobs,
            merges=self._request.merges,
        )

    def _findings(self, files: HeadFiles, blame: Blame) -> Findings:
        return Findings(files, self._history, self._changes, blame)

    def _blame_with_git(self, oracle: Oracle, files: HeadFiles, blame: Blame) -> None:
        """The slow way, for a history our own rules got wrong."""
        oracle.speed_up()
        for path, lines in oracle.blame_all(files.text, self._request.jobs):
            blame.take(path, lines)

    def _pass_over_ignored(self, walked: Walked, blame: Blame) -> None:
        """Let git blame the files that ignored commits touched, where those are to be passed over."""
        revisions = ignored_revisions(self._git) if self._request.ignore_revs else frozenset()
        if not revisions:
            return
        listed = write_list(self._git.folder, revisions)
        oracle = Oracle(self._git, self._history.number, ignore_revs=listed)
        readable = [path for path in concerned(walked.lineage, revisions) if path in blame.owners]
        for path, lines in oracle.blame_all(readable, self._request.jobs):
            blame.take(path, lines)
