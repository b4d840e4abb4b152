"""What a finished run leaves for the next one: every file's lines, the lineage with its hunks, and the series."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.jobs.analysis.blame.diffs import Hunks
from bot.jobs.analysis.blame.forward import Lines, Part, merge
from bot.jobs.analysis.blame.headfiles import HeadFiles
from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.blame.lineage import UNRESOLVED, each
from bot.jobs.analysis.blame.onepass import Blame, Walked
from bot.jobs.analysis.languages.by_path import ContentLanguages
from bot.jobs.analysis.people.identities import AuthorBook

Version = tuple[bytes, bytes]
"""A file as of a commit: the commit's id and the path."""


@dataclass(slots=True)
class Layer:
    """The lineage one walk found, with hunks instead of blobs.

    `hunks` are by slot (None where a version was too large), `births` the lengths of nodes without slots, `leaving`
    the versions that slots outside of the walk name.
    """

    commits: list[bytes]
    node_commit: array[int]
    node_path: list[bytes]
    first_slot: array[int]
    node_of_slot: array[int]
    hunks: list[Hunks | None]
    births: dict[int, int | None]
    leaving: dict[int, Version]
    _nodes: dict[Version, int] = field(default_factory=dict)

    def node(self, version: Version) -> int | None:
        """The node of a version, or None."""
        if not self._nodes:
            commits = (self.commits[number] for number in self.node_commit)
            self._nodes = {version: node for node, version in enumerate(zip(commits, self.node_path, strict=True))}
        return self._nodes.get(version)

    def version(self, node: int) -> Version:
        """The version a node stands for."""
        return self.commits[self.node_commit[node]], self.node_path[node]

    def slots(self, node: int) -> range:
        """A node's slots."""
        end = self.first_slot[node + 1] if node + 1 < len(self.first_slot) else len(self.node_of_slot)
        return range(self.first_slot[node], end)

    def source(self, slot: int) -> Version:
        """The version a slot takes lines from."""
        node = self.node_of_slot[slot]
        return self.leaving[slot] if node == UNRESOLVED else self.version(node)


def layer_of(walked: Walked) -> Layer:
    """What of a walk is worth keeping."""
    lineage, roots = walked.lineage, len(walked.lineage.roots)
    nodes = range(len(lineage.node_path))
    slots = range(roots, len(lineage.node_of_slot))
    leaving = {
        slot: (commit, path)
        for commit, files in lineage.exits.items()
        for path, waiting in files.items()
        for slot in each(waiting)
        if slot >= roots
    }
    hunks: list[Hunks | None] = [None] * roots
    return Layer(
        commits=lineage.commits,
        node_commit=lineage.node_commit,
        node_path=lineage.node_path,
        first_slot=lineage.first_slot,
        node_of_slot=lineage.node_of_slot,
        hunks=hunks + [walked.pairs.hunks(walked.diffs, slot) for slot in slots],
        births={node: walked.pairs.length(walked.diffs, node) for node in nodes if not lineage.slots(node)},
        leaving=leaving,
    )


@dataclass(slots=True)
class State:
    """A repository as last analysed. `lines` holds each file's commit numbers as the bytes of an array of them.

    `book` and `contents` remember what was asked of git for the report; they are not worth a place on disk.
    """

    head: bytes
    files: HeadFiles
    history: History
    changes: Changes
    blame: Blame
    lines: dict[bytes, bytes] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    book: AuthorBook = field(default_factory=AuthorBook)
    contents: ContentLanguages = field(default_factory=ContentLanguages)

    def keep(self, path: bytes, lines: Lines | None) -> None:
        """Copy the lines of one file."""
        if lines is not None:
            self.lines[path] = lines.tobytes()

    def lines_of(self, path: bytes) -> Lines:
        """The lines of a file of the tree at `head`. Raises KeyError for one that was not blamed."""
        lines = array("I")
        lines.frombytes(self.lines[path])
        return lines


class Replay:
    """Recomputes the lines of a version of the past from the kept lineage."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[Version, Lines | None] = {}

    def lines(self, version: Version) -> Lines | None:
        """The version's lines; None when one of its own past is too large. Raises KeyError if it was never walked."""
        waiting = [version]
        while waiting:
            current = waiting[-1]
            missing = [source for source in self._sources(current) if source not in self._known]
            if missing and current not in self._known:
                waiting += missing
                continue
            waiting.pop()
            if current not in self._known:
                self._known[current] = self._evaluate(current)
        return self._known[version]

    def _sources(self, version: Version) -> Iterator[Version]:
        layer, node = self._find(version)
        return map(layer.source, layer.slots(node))

    def _evaluate(self, version: Version) -> Lines | None:
        layer, node = self._find(version)
        number = self._state.history.number(version[0])
        slots = layer.slots(node)
        if not slots:
            length = layer.births[node]
            return None if length is None else array("I", [number]) * length
        parts = []
        for slot in slots:
            lines, hunks = self._known[layer.source(slot)], layer.hunks[slot]
            if lines is None or hunks is None:
                return None
            parts.append(Part(lines, False, hunks))
        return merge(parts, number)

    def _find(self, version: Version) -> tuple[Layer, int]:
        for layer in reversed(self._state.layers):
            node = layer.node(version)
            if node is not None:
                return layer, node
        raise KeyError(version)
