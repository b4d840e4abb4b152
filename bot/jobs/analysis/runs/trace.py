"""Keeps the lineage that walks found, with its hunks: a version of the past has its lines without a new walk."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.jobs.analysis.blame.forward import Lines, Part, merge
from bot.jobs.analysis.blame.lineage import UNRESOLVED
from bot.jobs.analysis.blame.onepass import Walked
from bot.jobs.analysis.runs.recent import Recent


@dataclass(slots=True)
class Trace:
    """Nodes (a version of a file, as its commit made it) and slots (what it takes from a version before), as columns.

    A node has its `commit`'s number, and its slots begin at `first_slot`. A slot has the node it takes lines from
    (`source`) and its hunks, which end at `end` in `numbers`; those of `unreadable` slots were too large. Of nodes
    without slots the number of lines is in `births` (None: too large), or the lines that git told are in `told`.
    """

    commit: array[int] = field(default_factory=lambda: array("I"))
    first_slot: array[int] = field(default_factory=lambda: array("I"))
    source: array[int] = field(default_factory=lambda: array("I"))
    end: array[int] = field(default_factory=lambda: array("I"))
    numbers: array[int] = field(default_factory=lambda: array("I"))
    unreadable: set[int] = field(default_factory=set)
    births: dict[int, int | None] = field(default_factory=dict)
    told: dict[int, bytes] = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    """Lines of some nodes; not worth a place on disk."""

    def __len__(self) -> int:
        return len(self.commit)

    def add(self, walked: Walked, number_of: Callable[[bytes], int], leaving: Mapping[int, int]) -> range:
        """Take up what a walk found; `leaving` has the known nodes of slots whose file left it. Returns new nodes."""
        lineage, first, hunks = walked.lineage, len(self), walked.pairs.hunks(walked.diffs)
        for node, place in enumerate(lineage.node_commit):
            self._begin(number_of(lineage.commits[place]))
            for slot in lineage.slots(node):
                there = lineage.node_of_slot[slot]
                self.source.append(leaving[slot] if there == UNRESOLVED else first + there)
                self._add_hunks(hunks[slot])
            if not lineage.slots(node):
                self.births[first + node] = walked.pairs.length(walked.diffs, node)
        return range(first, len(self))

    def tell(self, commit: int, lines: Lines) -> int:
        """Take up a version whose lines git told; returns its node."""
        self._begin(commit)
        node = len(self) - 1
        self.told[node] = lines.tobytes()
        return node

    def lines(self, wanted: int) -> Lines | None:
        """A node's lines, to be changed by nobody else; None when something in its past is too large."""
        order = self._order(wanted)
        uses = Counter(self.source[slot] for node in order if node not in self.recent for slot in self._slots(node))
        held: dict[int, Lines | None] = {}
        for node in order:
            held[node] = self._evaluate(node, held, uses)
        return held[wanted]

    def _begin(self, commit: int) -> None:
        self.commit.append(commit)
        self.first_slot.append(len(self.source))

    def _add_hunks(self, hunks: Iterable[int] | None) -> None:
        if hunks is None:
            self.unreadable.add(len(self.end))
        self.numbers.extend(hunks or ())
        self.end.append(len(self.numbers))

    def _slots(self, node: int) -> range:
        end = self.first_slot[node + 1] if node + 1 < len(self) else len(self.source)
        return range(self.first_slot[node], end)

    def _order(self, wanted: int) -> list[int]:
        """The node and all it needs, sources first; what is known from lately needs nothing."""
        order, waiting, seen = [], [wanted], set()
        while waiting:
            node = waiting[-1]
            sources = () if node in self.recent else map(self.source.__getitem__, self._slots(node))
            missing = [] if node in seen else [source for source in sources if source not in seen]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if node not in seen:
                seen.add(node)
                order.append(node)
        return order

    def _evaluate(self, node: int, held: dict[int, Lines | None], uses: Counter[int]) -> Lines | None:
        known = self.recent.get(node) if node in self.recent else self.told.get(node)
        if known is not None:
            return array("I", known)
        slots, number = self._slots(node), self.commit[node]
        if not slots:
            length = self.births[node]
            return None if length is None else array("I", [number]) * length
        parts = [self._part(slot, held, uses) for slot in slots]
        readable = [part for part in parts if part is not None]
        return merge(readable, number) if len(readable) == len(parts) else None

    def _part(self, slot: int, held: dict[int, Lines | None], uses: Counter[int]) -> Part | None:
        source = self.source[slot]
        uses[source] -= 1
        lines = held[source] if uses[source] else held.pop(source)
        if lines is None or slot in self.unreadable:
            return None
        hunks = self.numbers[self.end[slot - 1] if slot else 0 : self.end[slot]]
        return Part(lines[:] if uses[source] else lines, hunks)
