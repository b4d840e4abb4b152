"""Brings a kept state to a newer commit, exactly, looking only at what is new.

A file's lines are taken over from the state where blame's walk from the new commit reaches the old one with the file
whole. "The same content in both" would not be enough: it may have been changed and changed back, or come over a merge
whose first parent is another one. Where the walk enters known history at some other commit, that commit is looked for
from the old one; if the file did not come through it whole, its lines are computed again from the kept lineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.jobs.analysis.blame.forward import ForwardPass, Lines
from bot.jobs.analysis.blame.headfiles import update_files
from bot.jobs.analysis.blame.lineage import Lineage, LineageWalk, Waiting, each
from bot.jobs.analysis.blame.onepass import Blame, Walked, walk_and_diff
from bot.jobs.analysis.blame.oracle import Oracle
from bot.jobs.analysis.blame.renames import Renames
from bot.jobs.analysis.blame.treewalk import walk
from bot.jobs.analysis.progress import ProgressTeller, Stage
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.runs.state import Replay, State, Version, layer_of

MAX_LAYERS = 200
"""After so many updates a repository is walked anew, so that the kept lineage does not grow without end."""


def can_update(state: State) -> bool:
    """Whether a state is worth updating: not too many updates old, and nothing left out of its renames."""
    return len(state.layers) < MAX_LAYERS and not state.blame.capped


class Update:
    """One step of a state from its commit to the one at hand, which descends from it."""

    def __init__(self, git: Git, state: State, teller: ProgressTeller, jobs: int, *, merges: bool) -> None:
        self._git = git
        self._state = state
        self._teller = teller
        self._jobs = jobs
        self._merges = merges

    def run(self) -> list[bytes]:
        """Bring the state up to date and return the files whose lines were computed. On an error it must be dropped."""
        state, old = self._state, self._state.head
        commits = walk(self._git, self._git.head, [old])
        state.files = update_files(self._git, state.files, old)
        walked = walk_and_diff(
            self._git,
            commits,
            list(state.files.text),
            state.history,
            state.changes,
            self._teller,
            self._jobs,
            merges=self._merges,
        )
        computed = self._blame(walked)
        state.layers.append(layer_of(walked))
        state.head = self._git.head
        self._teller.enter(Stage.REPORTING, files_done=len(state.files.text))
        return computed

    def _blame(self, walked: Walked) -> list[bytes]:
        """Put the state's lines together anew: taken over, or computed from what is taken over."""
        fresh = State(self._git.head, self._state.files, self._state.history, self._state.changes, Blame())
        seeds: dict[int, Lines | None] = {}
        entries = _Entries(self._git, self._state, walked.lineage.exits)
        for version, waiting in _versions(walked.lineage):
            for slot in each(waiting):
                if slot < len(walked.lineage.roots):
                    self._take_over(fresh, walked.lineage.roots[slot], version, entries)
                elif walked.pairs.hunks(walked.diffs, slot) is not None:
                    seeds[slot] = entries.lines(version)
                else:
                    seeds[slot] = None
        computed = []
        for path, lines in ForwardPass(
            walked.lineage, walked.pairs, walked.diffs, self._state.history.number, seeds
        ).run():
            _put(fresh, path, lines)
            computed.append(path)
        self._state.lines, self._state.blame = fresh.lines, fresh.blame
        return computed

    def _take_over(self, fresh: State, path: bytes, version: Version, entries: _Entries) -> None:
        """A file that came whole from a version of the past."""
        before = entries.file_of(version)
        if before in self._state.lines:
            fresh.lines[path] = self._state.lines[before]
            fresh.blame.owners[path] = self._state.blame.owners[before]
        else:
            _put(fresh, path, entries.lines(version))


class _Entries:
    """Where the walk entered known history: the lines of those versions, by the cheapest exact way."""

    def __init__(self, git: Git, state: State, exits: Mapping[bytes, Mapping[bytes, Waiting]]) -> None:
        self._git = git
        self._state = state
        self._oracle = Oracle(git, state.history.number)
        self._replay = Replay(state)
        self._whole: dict[Version, bytes] = {}
        for commit, files in exits.items():
            if commit != state.head:
                self._look_back(commit, files)

    def file_of(self, version: Version) -> bytes | None:
        """The file of the kept tree that has all its lines from this version."""
        commit, path = version
        return path if commit == self._state.head else self._whole.get(version)

    def lines(self, version: Version) -> Lines | None:
        """The version's lines; None when something in its past is too large."""
        path = self.file_of(version)
        if path in self._state.lines:
            return self._state.lines_of(path)
        if path in self._state.blame.unreadable:
            return None
        try:
            return self._replay.lines(self._last_change(version))
        except KeyError:  # never walked: the file was binary, or gone, in every tree analysed so far
            return self._oracle.blame(version[1], version[0])

    def _look_back(self, commit: bytes, files: Iterable[bytes]) -> None:
        """Walk from the kept commit to this one, and note the files that come through whole."""
        renames = Renames(self._git)
        roots = [path for path in files if path in self._state.lines]
        follow = LineageWalk(self._git, renames, self._state.head, roots)
        for passed in walk(self._git, self._state.head, [commit]):
            follow.visit(passed)
        renames.close()
        for path, waiting in follow.finish().exits.get(commit, {}).items():
            for slot in each(waiting):
                if slot < len(roots):
                    self._whole[commit, path] = roots[slot]

    def _last_change(self, version: Version) -> Version:
        """The same file as of the commit that changed it last."""
        commit, path = version
        told = self._git.run("log", "-1", "--no-renames", "--format=%H", commit, "--", path)
        return told.strip(), path


def _versions(lineage: Lineage) -> Iterator[tuple[Version, Waiting]]:
    for commit, files in lineage.exits.items():
        for path, waiting in files.items():
            yield (commit, path), waiting


def _put(state: State, path: bytes, lines: Lines | None) -> None:
    state.blame.take(path, lines)
    state.keep(path, lines)
