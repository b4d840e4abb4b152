"""Knows, for an update, which versions the files are where its walk entered known history, and their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.blame.lineage import Waiting, each
from bot.jobs.analysis.blame.oracle import Oracle
from bot.jobs.analysis.blame.treewalk import Commit
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.runs.past import NONE
from bot.jobs.analysis.runs.state import State


class Entries:
    """Looks into a state as it was kept; `drop` is all that changes it."""

    def __init__(self, git: Git, state: State, jobs: int) -> None:
        self._git = git
        self._state = state
        self._jobs = jobs
        self._head = state.history.number(state.head)
        self._trunk = state.past.trunk(self._head)
        self._file_of: dict[int, bytes] = {}
        self._node_of: dict[bytes, int] = {}

    def touched_since(self, commits: Sequence[Commit]) -> set[bytes]:
        """The paths changed on either line of first parents since the kept commit's and the new one's met.

        `commits` are all the new ones. Where the lines never met, that is every path there ever was.
        """
        past, listed = self._state.past, {commit.oid: commit for commit in commits}
        oid, touched = self._git.head, set[bytes]()
        while oid in listed:
            touched.update(change.path for change in listed[oid].changes)
            oid = next(iter(listed[oid].parents), b"")
        number = self._state.history.number(oid) if oid else NONE
        while number not in self._trunk.places and number != NONE:
            touched |= past.changed_by(number)
            number = past.first_parent[number]
        for commit in self._trunk.commits[: self._trunk.places.get(number)]:
            touched |= past.changed_by(commit)
        return touched

    def nodes(self, exits: Mapping[bytes, Mapping[bytes, Waiting]]) -> dict[int, int]:
        """The node of each slot whose file left the walk. Git is asked about versions that blame never came to."""
        rows = {slot: self._row(commit, path) for commit, path, slot in _flat(exits)}
        node = self._state.past.node
        self._ask_git(sorted({row for row in rows.values() if node[row] == NONE}))
        for path in {path for files in exits.values() for path in files} & self._state.lines.keys():
            self._file_of[self._node(path)] = path
        return {slot: node[row] for slot, row in rows.items()}

    def file_of(self, node: int) -> bytes | None:
        """The kept file that is this version, as far as it was looked for."""
        return self._file_of.get(node)

    def lines(self, node: int) -> Lines | None:
        """A version's lines; None when something in its past is too large."""
        path = self._file_of.get(node)
        if path is not None:
            return self._state.lines_of(path)
        lines = self._state.trace.lines(node)
        if lines is not None:
            self._state.trace.recent.put(node, lines.tobytes())
        return lines

    def drop(self, path: bytes) -> None:
        """Let go of a kept file; its lines are still at hand for branches that began before."""
        lines = self._state.lines.pop(path, None)
        self._state.blame.owners.pop(path, None)
        if lines is not None and self._node(path) != NONE:
            self._state.trace.recent.put(self._node(path), lines)

    def _node(self, path: bytes) -> int:
        """The node of a kept file; NONE where blame went through an octopus without our seeing which way."""
        if path not in self._node_of:
            self._node_of[path] = self._state.past.node[self._state.past.origin(self._head, path, self._trunk)]
        return self._node_of[path]

    def _row(self, commit: bytes, path: bytes) -> int:
        return self._state.past.origin(self._state.history.number(commit), path, self._trunk)

    def _ask_git(self, rows: Sequence[int]) -> None:
        """Give nodes to versions that have none: the file was binary, or gone, in every tree analysed so far."""
        if not rows:
            return
        past, history, oracle = self._state.past, self._state.history, Oracle(self._git, self._state.history.number)
        paths = [past.paths[past.path[row]] for row in rows]
        commits = [history.oids[past.commit[row]] for row in rows]
        with ThreadPoolExecutor(self._jobs) as pool:
            for row, lines in zip(rows, pool.map(oracle.blame, paths, commits), strict=True):
                past.node[row] = self._state.trace.tell(past.commit[row], lines)


def _flat(exits: Mapping[bytes, Mapping[bytes, Waiting]]) -> Iterator[tuple[bytes, bytes, int]]:
    for commit, files in exits.items():
        for path, waiting in files.items():
            for slot in each(waiting):
                yield commit, path, slot
