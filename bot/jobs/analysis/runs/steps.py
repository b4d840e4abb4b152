"""Does one analysis, cold or from what an earlier one left, and proves it right."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bot.jobs.analysis.blame.headfiles import list_files
from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.blame.ignorerevs import concerned, ignored_revisions, write_list
from bot.jobs.analysis.blame.onepass import Blame, Walked, blame_tree, walk_and_diff
from bot.jobs.analysis.blame.oracle import Oracle
from bot.jobs.analysis.blame.treewalk import Commit, walk
from bot.jobs.analysis.progress import ProgressTeller
from bot.jobs.analysis.reports.remarks import Remark
from bot.jobs.analysis.reports.report import Proof, Report
from bot.jobs.analysis.reports.treefacts import TreeFacts, look_at_tree
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.repository import Repository
from bot.jobs.analysis.request import AnalysisRequest
from bot.jobs.analysis.runs.composition import compose
from bot.jobs.analysis.runs.incremental import Update, can_update
from bot.jobs.analysis.runs.proof import Prover
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.runs.state import State

SAVE_EVERY = 20
"""Updates between two writes of a state to disk; a restart begins at the last one written, which costs little."""


class Analysis:
    """One analysis of one commit."""

    def __init__(self, git: Git, request: AnalysisRequest, teller: ProgressTeller) -> None:
        self._git = git
        self._request = request
        self._teller = teller

    def cold(self, commits: Iterable[Commit]) -> Report:
        """Take the whole history and keep nothing. What the tree tells by itself is looked at meanwhile."""
        state = self._new_state()
        with self._prover(state) as prover, ThreadPoolExecutor(1) as pool:
            tree = pool.submit(self._look_at_tree, state)
            walked = self._walk(state, commits)
            state.blame = blame_tree(walked, state.history, self._teller, prover.keep)
            self._pass_over_ignored(state, walked)
            report = compose(self._git, self._request, state, tree.result())
            proof = prover.compare()
        if proof.differing:
            self._blame_with_git(state)
            self._pass_over_ignored(state, walked)
            report = compose(self._git, self._request, state, tree.result())
        return _proven(report, proof)

    def kept(self, repository: Repository, states: States) -> Report:
        """Start from what an earlier run left, if this commit descends from its commit; leave the result for the next.

        A state git disagrees with is forgotten: the next run starts anew.
        """
        name = self._state_name(repository)
        state = states.take(name)
        if state is None or not self._continue(state):
            state = self._walk_and_keep()
        with self._prover(state) as prover:
            tree = self._look_at_tree(state)
            prover.keep_all(state.lines_of)
            report = compose(self._git, self._request, state, tree)
            proof = prover.compare()
        if proof.differing:
            self._blame_with_git(state)
            report = compose(self._git, self._request, state, tree)
        else:
            states.put(name, state, durable=state.updates % SAVE_EVERY == 0)
        return _proven(report, proof)

    def _walk_and_keep(self) -> State:
        commits = walk(self._git, self._git.head)
        state = self._new_state()
        walked = self._walk(state, state.past.noting(commits, state.history))
        state.blame = blame_tree(walked, state.history, self._teller, state.keep)
        state.remember(walked)
        return state

    def _continue(self, state: State) -> bool:
        """Bring a state to this commit; false where it is worn out, and after a force-push."""
        if not can_update(state):
            return False
        update = Update(self._git, state, self._teller, self._request.jobs, merges=self._request.merges)
        return state.head == self._git.head or update.run()

    def _state_name(self, repository: Repository) -> str:
        request = self._request
        return "\n".join(map(str, (repository.objects, request.ref, request.merges, request.max_blob_bytes)))

    def _new_state(self) -> State:
        return State(self._git.head, list_files(self._git), History(), Changes(), Blame())

    def _walk(self, state: State, commits: Iterable[Commit]) -> Walked:
        return walk_and_diff(
            self._git,
            commits,
            list(state.files.text),
            state.history,
            state.changes,
            self._teller,
            self._request.jobs,
            merges=self._request.merges,
        )

    def _look_at_tree(self, state: State) -> TreeFacts:
        return look_at_tree(self._git, state.files.text, state.contents, frameworks=self._request.frameworks)

    def _prover(self, state: State) -> Prover:
        return Prover(self._git, state.history.number, state.files.text, self._request.oracle_files)

    def _blame_with_git(self, state: State) -> None:
        """The slow way, for a history our own rules got wrong: git is right."""
        oracle = Oracle(self._git, state.history.number)
        oracle.speed_up()
        for path, lines in oracle.blame_all(state.files.text, self._request.jobs):
            state.blame.take(path, lines)

    def _pass_over_ignored(self, state: State, walked: Walked) -> None:
        """Let git blame the files that ignored commits touched, where those are to be passed over."""
        revisions = ignored_revisions(self._git) if self._request.ignore_revs else frozenset()
        if not revisions:
            return
        listed = write_list(self._git.folder, revisions)
        oracle = Oracle(self._git, state.history.number, ignore_revs=listed)
        touched = [path for path in concerned(walked.lineage, revisions) if path in state.blame.owners]
        for path, lines in oracle.blame_all(touched, self._request.jobs):
            state.blame.take(path, lines)


def _proven(report: Report, proof: Proof) -> Report:
    """The report with its proof; where git had to correct us, that is said, for it is our fault."""
    if not proof.differing:
        return dataclasses.replace(report, proof=proof)
    told = Remark("analysis.remark.differed", {"files": ", ".join(proof.differing)})
    return dataclasses.replace(report, proof=proof, warnings=[*report.warnings, told])
