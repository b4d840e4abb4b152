"""Decides which commits each line of a tree may come from, by blame's own rules, without opening a blob.

Walking from the newest commit to the oldest, each file of the start tree stays with a commit only as long as the
commit changed it. Where it did, a node is made: this path, as of this commit, holds lines of that commit and lines of
the parents' versions. The rules are those of git's blame.c: the first parent with the same blob takes the whole file;
else each different parent version takes its unchanged lines in turn; a path that was no regular file in a parent
counts as absent there; only where it is absent is a rename looked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.errors import Permanent
from bot.jobs.analysis.blame.renames import Renames
from bot.jobs.analysis.blame.treewalk import Change, Combined, Commit
from bot.jobs.analysis.repositories.git import Git

UNRESOLVED = -1
_ABSENT = b"000000"

Waiting = int | list[int]
"""The slots that wait for one file of one commit; most often just one."""


@dataclass(slots=True)
class Lineage:
    """Nodes (a path as of a commit that changed it) and slots (who needs which node).

    The first slots belong to `roots`, one per file of the start tree, in order. A node's own slots, one per parent
    version, run from `first_slot[node]` up to the next node's; `old_blob[slot]` is that version's blob and
    `node_of_slot[slot]` the node that holds it, UNRESOLVED when it lies outside of the walk. A node always comes
    before the nodes its slots name. Blobs are let go of (empty) once their pairs are numbered.
    """

    roots: list[bytes]
    commits: list[bytes] = field(default_factory=list)
    node_commit: array[int] = field(default_factory=lambda: array("I"))
    node_path: list[bytes] = field(default_factory=list)
    node_blob: list[bytes] = field(default_factory=list)
    first_slot: array[int] = field(default_factory=lambda: array("I"))
    old_blob: list[bytes] = field(default_factory=list)
    node_of_slot: array[int] = field(default_factory=lambda: array("i"))
    exits: dict[bytes, dict[bytes, Waiting]] = field(default_factory=dict)
    """Slots whose file left the walk, by the commit and path it left at; empty after a walk of the whole history."""

    def slots(self, node: int) -> range:
        """The slots of one node, in the order of the parents that blame asks."""
        following = node + 1
        end = self.first_slot[following] if following < len(self.first_slot) else len(self.old_blob)
        return range(self.first_slot[node], end)


class Origin(NamedTuple):
    """The version of a file in one parent."""

    parent: bytes
    path: bytes
    blob: bytes


class LineageWalk:
    """Follows files back through commits given newest first (children before parents); `lineage` grows meanwhile."""

    def __init__(self, git: Git, renames: Renames, start: bytes, paths: Iterable[bytes]) -> None:
        self._git = git
        self._renames = renames
        roots = list(paths)
        self.lineage = Lineage(roots, old_blob=[b""] * len(roots), node_of_slot=array("i", [UNRESOLVED]) * len(roots))
        self._live: dict[bytes, dict[bytes, Waiting]] = {start: {path: slot for slot, path in enumerate(roots)}}

    def finish(self) -> Lineage:
        """The lineage found; what is still waiting left the walk."""
        self.lineage.exits = {commit: files for commit, files in self._live.items() if files}
        return self.lineage

    def visit(self, commit: Commit) -> None:
        """Take one commit: its changed files get nodes, all others go on to the first parent."""
        files = self._live.pop(commit.oid, None)
        if not files:
            return
        for change in commit.changes:
            path = change.path
            waiting = files.get(path)
            if waiting is None or (change.old == change.new and change.status == b"M"):
                continue
            del files[path]
            if len(commit.parents) > 1:
                self._visit_merge(commit, change, waiting)
            else:
                self._visit_single(commit, change, waiting)
        if files and commit.parents:
            self._hand_over(files, commit.parents[0])

    def _visit_single(self, commit: Commit, change: Change, waiting: Waiting) -> None:
        """A changed file of a commit with one parent or none."""
        origin = None
        if change.status == b"M":
            origin = Origin(commit.parents[0], change.path, change.old)
        elif change.status == b"A" and commit.parents:
            source = self._renames.find(self._renames.deleted_by(commit), change.new_mode, change.new, change.path)
            origin = source and Origin(commit.parents[0], source.path, source.blob)
        if origin is not None and origin.blob == change.new:
            self._give(origin, waiting)
        else:
            self._add_node(commit.oid, change, waiting, [origin] if origin else [])

    def _visit_merge(self, commit: Commit, change: Change, waiting: Waiting) -> None:
        """A file of a merge that differs from the first parent."""
        combined = commit.combined.get(change.path)
        if combined is None:
            self._give(self._same_in_later_parent(commit, change), waiting)
            return
        origins: dict[int, Origin] = {}
        for seek in (self._present, self._renamed):
            whole = seek(commit, change, combined, origins)
            if whole is not None:
                self._give(whole, waiting)
                return
        self._add_node(commit.oid, change, waiting, [origins[index] for index in sorted(origins)])

    def _present(self, commit: Commit, change: Change, combined: Combined, origins: dict[int, Origin]) -> Origin | None:
        """Note the parents' versions at the same path; returns the first one that is the very same blob."""
        for index, parent in enumerate(commit.parents):
            mode, blob = combined.modes[index], combined.blobs[index]
            if mode == _ABSENT or mode[:2] != change.new_mode[:2]:
                continue
            origin = Origin(parent, change.path, blob)
            if blob == change.new:
                return origin
            _note(origins, index, origin)
        return None

    def _renamed(self, commit: Commit, change: Change, combined: Combined, origins: dict[int, Origin]) -> Origin | None:
        """Look for a rename in the parents that lack the path; returns the first one that is the very same blob."""
        for index, parent in enumerate(commit.parents):
            if combined.modes[index] != _ABSENT:
                continue
            renames = self._renames
            deleted = renames.deleted_by(commit) if index == 0 else renames.deleted_against(commit.oid, parent)
            source = renames.find(deleted, change.new_mode, change.new, change.path)
            if source is None:
                continue
            origin = Origin(parent, source.path, source.blob)
            if source.blob == change.new:
                return origin
            _note(origins, index, origin)
        return None

    def _same_in_later_parent(self, commit: Commit, change: Change) -> Origin:
        """The first parent with this very blob, for a path that the merge took over unchanged."""
        for parent in commit.parents[1:]:
            if len(commit.parents) == 2 or self._holds(parent, change):
                return Origin(parent, change.path, change.new)
        raise Permanent("git_failed", command="git log", exit_code=0, detail="a merge differs from all its parents")

    def _holds(self, parent: bytes, change: Change) -> bool:
        listed = self._git.run("ls-tree", "-z", "--full-tree", parent, "--", change.path)
        mode, _, blob = listed.partition(b"\t")[0].split(b" ") if listed else (_ABSENT, b"", b"")
        return blob == change.new and mode[:2] == change.new_mode[:2]

    def _add_node(self, oid: bytes, change: Change, waiting: Waiting, origins: list[Origin]) -> None:
        """Make a node, tell those who waited for it, and let its parents' versions wait in turn."""
        lineage = self.lineage
        node = len(lineage.node_path)
        if not lineage.commits or lineage.commits[-1] != oid:
            lineage.commits.append(oid)
        lineage.node_commit.append(len(lineage.commits) - 1)
        lineage.node_path.append(change.path)
        lineage.node_blob.append(change.new)
        lineage.first_slot.append(len(lineage.old_blob))
        for slot in each(waiting):
            lineage.node_of_slot[slot] = node
        for origin in origins:
            self._give(origin, len(lineage.old_blob))
            lineage.old_blob.append(origin.blob)
            lineage.node_of_slot.append(UNRESOLVED)

    def _give(self, origin: Origin, waiting: Waiting) -> None:
        files = self._live.get(origin.parent)
        if files is None:
            self._live[origin.parent] = {origin.path: waiting}
        else:
            _join(files, origin.path, waiting)

    def _hand_over(self, files: dict[bytes, Waiting], parent: bytes) -> None:
        """Give all files to a parent, moving the smaller of two collections."""
        there = self._live.get(parent)
        if there is None:
            self._live[parent] = files
            return
        if len(there) < len(files):
            self._live[parent] = files
            there, files = files, there
        for path, waiting in files.items():
            _join(there, path, waiting)


def _note(origins: dict[int, Origin], index: int, origin: Origin) -> None:
    """Keep a parent's version unless an earlier parent has the same blob: it would take nothing more."""
    if all(known.blob != origin.blob for earlier, known in origins.items() if earlier < index):
        origins[index] = origin


def each(waiting: Waiting) -> list[int]:
    """The slots that wait, as a list."""
    return [waiting] if isinstance(waiting, int) else waiting


def _join(files: dict[bytes, Waiting], path: bytes, waiting: Waiting) -> None:
    known = files.get(path)
    files[path] = waiting if known is None else each(known) + each(waiting)
