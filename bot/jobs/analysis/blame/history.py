"""Remembers the commits of a history by number: who made each, when, and which lines it changed where."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.jobs.analysis.blame.diffs import Diffs
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.blame.treewalk import Commit

_SUBMODULE = b"160000"


class Identity(NamedTuple):
    """An author as a commit names them, before any mailmap."""

    name: bytes
    email: bytes


@dataclass(slots=True)
class History:
    """Parallel columns, one place per commit, numbered in the order they were met.

    `author` is a place in `identities`, `time` the author's time in seconds since 1970 UTC. `example` holds one commit
    of each identity, for git to apply a mailmap to.
    """

    oids: list[bytes] = field(default_factory=list)
    author: array[int] = field(default_factory=lambda: array("I"))
    time: array[int] = field(default_factory=lambda: array("q"))
    merge: bytearray = field(default_factory=bytearray)
    identities: list[Identity] = field(default_factory=list)
    example: list[int] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _places: dict[Identity, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = {oid: number for number, oid in enumerate(self.oids)}
        self._places = {identity: place for place, identity in enumerate(self.identities)}

    def knows(self, oid: bytes) -> bool:
        """Whether a commit was met before."""
        return oid in self._numbers

    def add(self, commit: Commit) -> int:
        """Remember a commit not met before and return its number."""
        number = self._numbers[commit.oid] = len(self.oids)
        self.oids.append(commit.oid)
        self.author.append(self._place(Identity(commit.name, commit.email), number))
        self.time.append(commit.time)
        self.merge.append(len(commit.parents) > 1)
        return number

    def number(self, oid: bytes) -> int:
        """A commit's number. Raises KeyError for one never met."""
        return self._numbers[oid]

    def _place(self, identity: Identity, number: int) -> int:
        place = self._places.get(identity)
        if place is None:
            place = self._places[identity] = len(self.identities)
            self.identities.append(identity)
            self.example.append(number)
        return place


@dataclass(slots=True)
class Changes:
    """Every path changed by a commit against its first parent, as columns: commit, path, lines added and deleted."""

    paths: list[bytes] = field(default_factory=list)
    commit: array[int] = field(default_factory=lambda: array("I"))
    path: array[int] = field(default_factory=lambda: array("I"))
    added: array[int] = field(default_factory=lambda: array("I"))
    deleted: array[int] = field(default_factory=lambda: array("I"))
    _places: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {path: place for place, path in enumerate(self.paths)}

    def begin(self, commit: int, paths: Sequence[bytes]) -> None:
        """Add a row for each of a commit's paths; their line counts follow."""
        places = self._places
        for path in paths:
            place = places.get(path)
            if place is None:
                place = places[path] = len(self.paths)
                self.paths.append(path)
            self.path.append(place)
        self.commit.extend([commit] * len(paths))

    def finish(self, added: Iterable[int], deleted: Iterable[int]) -> None:
        """Add the line counts of all rows begun since the last time, in order."""
        self.added.extend(added)
        self.deleted.extend(deleted)


class ChangeLog:
    """Collects what commits change while they are walked; the line counts follow once the diffs are known."""

    def __init__(self, changes: Changes, pairs: Pairs) -> None:
        self._changes = changes
        self._pairs = pairs
        self._pair = array("I")

    def note(self, commit: Commit, number: int, *, merges: bool) -> None:
        """Note a commit's changes; a merge only where `merges` says so. Submodules hold no lines."""
        if len(commit.parents) > 1 and not merges:
            return
        paths, number_of = [], self._pairs.number
        for old_mode, new_mode, old, new, _, path in commit.changes:
            if old != new and old_mode != _SUBMODULE != new_mode:
                paths.append(path)
                self._pair.append(number_of(old, new, path))
        self._changes.begin(number, paths)

    def settle(self, diffs: Diffs) -> None:
        """Give all noted changes their line counts."""
        self._changes.finish(map(diffs.added.__getitem__, self._pair), map(diffs.deleted.__getitem__, self._pair))
