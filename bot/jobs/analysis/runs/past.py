"""Remembers which paths each commit changed, so that where a version of a file comes from is known without asking git.

From any commit on, a file is followed by blame's own rules to the commit that made it what it is there: through commits
that leave it alone, merges that take it from a later parent, and renames of the very same content.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.jobs.analysis.blame.deletions import Deletions
from bot.jobs.analysis.blame.history import History
from bot.jobs.analysis.blame.treewalk import Change, Commit

NONE = -1
_MADE, _RENAMED = 0, 255
"""How a row's commit came by its version: it made it, or only renamed it; any other number is a parent's place."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A commit and its line of first parents, with the place of each in it."""

    commits: list[int]
    places: dict[int, int]


@dataclass(slots=True)
class Past:
    """Columns with a place for each commit, by its number in a `History`, and with a row for each path it changed.

    `first_parent` is NONE where there is none; `later_parents` are those of merges. A commit's rows begin at `start`. A
    row has its commit, its path (a place in `paths`), `how` the commit came by the version, the `previous` row of the
    same path (NONE: the first) and the `node` of the trace that holds its lines (NONE: blame never went there).
    """

    first_parent: array[int] = field(default_factory=lambda: array("i"))
    later_parents: dict[int, list[int]] = field(default_factory=dict)
    start: array[int] = field(default_factory=lambda: array("I"))
    commit: array[int] = field(default_factory=lambda: array("I"))
    path: array[int] = field(default_factory=lambda: array("I"))
    how: array[int] = field(default_factory=lambda: array("B"))
    previous: array[int] = field(default_factory=lambda: array("i"))
    node: array[int] = field(default_factory=lambda: array("i"))
    sources: dict[int, bytes] = field(default_factory=dict)
    """What a renamed path was called before, by row."""
    paths: list[bytes] = field(default_factory=list)
    latest: array[int] = field(default_factory=lambda: array("i"))
    _places: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {path: place for place, path in enumerate(self.paths)}

    def noting(self, commits: Iterable[Commit], history: History) -> Iterator[Commit]:
        """The same commits, each of which is noted after `history` got to know it; to be read to the end."""
        parents = []
        for commit in commits:
            yield commit
            if history.number(commit.oid) == len(self.start):
                self._note(commit)
                parents.append(commit.parents)
        for oids in parents:
            first, *later = [history.number(oid) for oid in oids] or [NONE]
            if later:
                self.later_parents[len(self.first_parent)] = later
            self.first_parent.append(first)

    def place(self, commits: Sequence[int], paths: Sequence[bytes], first: int) -> None:
        """Say which nodes, from `first` on, hold the lines of paths as their commits made them.

        A commit's paths come in the order it was noted with, so that each is looked for behind the one before.
        """
        row, before = NONE, NONE
        for node, (commit, path) in enumerate(zip(commits, paths, strict=True), first):
            rows = self._slice(commit)
            row = self.path.index(self._places[path], row + 1 if commit == before else rows.start, rows.stop)
            self.node[row], before = node, commit

    def origin(self, commit: int, path: bytes, trunk: Trunk) -> int:
        """The row of the version that a file of a commit's tree is. Raises KeyError for what was never there."""
        while True:
            row = self._last(commit, path, trunk)
            how = self.how[row]
            if how == _MADE:
                return row
            if how == _RENAMED:
                path = self.sources[row]
            changed = self.commit[row]
            commit = self.first_parent[changed] if how == _RENAMED else self.later_parents[changed][how - 1]

    def trunk(self, commit: int) -> Trunk:
        """The line of first parents from a commit on."""
        commits = []
        while commit != NONE:
            commits.append(commit)
            commit = self.first_parent[commit]
        return Trunk(commits, {commit: place for place, commit in enumerate(commits)})

    def changed_by(self, commit: int) -> set[bytes]:
        """The paths a commit changed, against its first parent."""
        return {self.paths[place] for place in self.path[self._slice(commit)]}

    def _note(self, commit: Commit) -> None:
        number = len(self.start)
        self.start.append(len(self.path))
        deleted = None
        for change in commit.changes:
            if change.old == change.new and change.status == b"M":
                continue
            source = None
            if change.status == b"A" and len(commit.parents) == 1:
                deleted = deleted or Deletions(commit.changes)
                source = deleted.same(change.new_mode, change.new, change.path)
            if source is not None:
                self.sources[len(self.path)] = source.path
            self._add(number, change.path, _RENAMED if source else _taken(commit, change))

    def _add(self, commit: int, path: bytes, how: int) -> None:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = len(self.paths)
            self.paths.append(path)
            self.latest.append(NONE)
        self.previous.append(self.latest[place])
        self.latest[place] = len(self.path)
        self.commit.append(commit)
        self.path.append(place)
        self.how.append(how)
        self.node.append(NONE)

    def _slice(self, commit: int) -> slice:
        end = self.start[commit + 1] if commit + 1 < len(self.start) else len(self.path)
        return slice(self.start[commit], end)

    def _rows(self, path: bytes) -> Iterator[int]:
        row = self.latest[self._places[path]]
        while row != NONE:
            yield row
            row = self.previous[row]

    def _last(self, commit: int, path: bytes, trunk: Trunk) -> int:
        """The row of the first commit that changed a path on the line of first parents from a commit on."""
        if commit not in trunk.places:
            rows = {self.commit[row]: row for row in self._rows(path)}
            while commit not in rows and commit not in trunk.places and commit != NONE:
                commit = self.first_parent[commit]
            if commit in rows:
                return rows[commit]
        return self._last_on_trunk(trunk.places[commit], path, trunk)

    def _last_on_trunk(self, start: int, path: bytes, trunk: Trunk) -> int:
        """The same from a place of the trunk on: of all rows of the path the nearest one."""
        nearest, found = len(trunk.commits), NONE
        for row in self._rows(path):
            place = trunk.places.get(self.commit[row], NONE)
            if start <= place < nearest:
                nearest, found = place, row
        if found == NONE:
            raise KeyError(path)
        return found


def _taken(commit: Commit, change: Change) -> int:
    """How a commit came by a path it changed. Of several later parents only git knows; it counts as made then."""
    if len(commit.parents) == 2 and change.path not in commit.combined:
        return 1
    return _MADE
