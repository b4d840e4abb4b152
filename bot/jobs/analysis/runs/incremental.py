"""Brings a kept state to a newer commit, exactly, looking only at what is new.

A file that nothing touched since the two commits' lines of first parents met keeps its lines. The others are followed
through the new commits; where one reaches known history, the state tells which version that is, and its lines. That the
content is the same in both commits would not be enough: it may have been changed and changed back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

from bot.errors import Permanent
from bot.jobs.analysis.blame.forward import ForwardPass
from bot.jobs.analysis.blame.headfiles import update_files
from bot.jobs.analysis.blame.onepass import Walked, walk_and_diff
from bot.jobs.analysis.blame.treewalk import Commit, walk
from bot.jobs.analysis.progress import ProgressTeller, Stage
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.runs.entries import Entries
from bot.jobs.analysis.runs.state import State

MAX_UPDATES = 1000
"""After so many a repository is walked anew, so that what only abandoned branches needed does not pile up."""
FEW_COMMITS = 1000
"""So many new ones are held to see what they touch; when there are more, every file is followed, which costs little."""


def can_update(state: State) -> bool:
    """Whether a state is worth updating: not too many updates old, and nothing left out of its renames."""
    return state.updates < MAX_UPDATES and not state.blame.capped


class Update:
    """One step of a state from its commit to the one at hand."""

    def __init__(self, git: Git, state: State, teller: ProgressTeller, jobs: int, *, merges: bool) -> None:
        self._git = git
        self._state = state
        self._teller = teller
        self._jobs = jobs
        self._merges = merges

    def run(self) -> bool:
        """Bring the state up to date. False where the commit at hand does not descend from the state's.

        Then, and on an error, the state must be dropped.
        """
        state, commits = self._state, walk(self._git, self._git.head, [self._state.head])
        with ThreadPoolExecutor(1) as pool:  # git compares the trees while it lists the commits
            files = pool.submit(update_files, self._git, state.files, state.head)
            first = _first(commits)
        if not self._descends(first):
            self._git.children.stop()  # nobody reads the rest
            return False
        state.files = files.result()
        self._follow(first, commits)
        return True

    def _descends(self, first: Sequence[Commit]) -> bool:
        """Whether there is a way back to the state's commit: its last step is one of the new commits."""
        old = self._state.head
        if any(old in commit.parents for commit in first):
            return True
        if len(first) < FEW_COMMITS:
            return False
        asked = self._git.start("merge-base", "--is-ancestor", old, self._git.head)
        return self._git.children.finish(asked) == 0

    def _follow(self, first: Sequence[Commit], others: Iterator[Commit]) -> None:
        """Walk the new commits, and blame what they touched."""
        state, entries = self._state, Entries(self._git, self._state, self._jobs)
        is_all = len(first) < FEW_COMMITS
        touched = entries.touched_since(first) if is_all else {*state.files.text, *state.lines}
        walked = walk_and_diff(
            self._git,
            state.past.noting(chain(first, others), state.history),
            [path for path in touched if path in state.files.text],
            state.history,
            state.changes,
            self._teller,
            self._jobs,
            merges=self._merges,
        )
        self._blame(walked, entries, touched)
        state.head, state.updates, state.blame.capped = self._git.head, state.updates + 1, walked.capped
        self._teller.enter(Stage.REPORTING, files_done=len(state.files.text))

    def _blame(self, walked: Walked, entries: Entries, touched: set[bytes]) -> None:
        """Put the lines of the touched files together anew: taken over, or computed from what is taken over."""
        state, roots = self._state, walked.lineage.roots
        nodes = entries.nodes(walked.lineage.exits)
        seeds = {slot: entries.lines(node) for slot, node in nodes.items() if slot >= len(roots)}
        whole = {roots[slot]: node for slot, node in nodes.items() if slot < len(roots)}
        moved = {path: entries.lines(node) for path, node in whole.items() if entries.file_of(node) != path}
        gone = touched - (whole.keys() - moved.keys())
        for path in gone:
            entries.drop(path)
        state.blame.unreadable = [path for path in state.blame.unreadable if path not in gone]
        computed = ForwardPass(walked.lineage, walked.pairs, walked.diffs, state.history.number, seeds).run()
        for path, lines in chain(moved.items(), computed):
            state.blame.take(path, lines)
            state.keep(path, lines)
        state.remember(walked, nodes)


def _first(commits: Iterator[Commit]) -> list[Commit]:
    """The first of the new commits; none where git cannot list them, for a commit that was pushed away is gone."""
    try:
        return list(islice(commits, FEW_COMMITS))
    except Permanent:
        return []
