"""Turns a lineage and its hunks into blame: for each file one array of commit numbers, one per line."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from bot.jobs.analysis.blame.diffs import Diffs, Hunks
from bot.jobs.analysis.blame.lineage import UNRESOLVED, Lineage
from bot.jobs.analysis.blame.pairs import Pairs

Lines: TypeAlias = "array[int]"
"""The number of the commit of each line of a file, in order."""

UNCLAIMED = 0xFFFFFFFF
_FEW_NUMBERS = 128  # up to 32 hunks are put in place one by one; more are quicker copied in one go


class Part(NamedTuple):
    """What one parent's version gives: its lines, whether they may be changed in place, and the hunks from there."""

    lines: Lines
    owned: bool
    hunks: Hunks


class LineagePairs:
    """The blob pairs a lineage needs diffed: one per slot of a node, or one from nothing for a node without slots.

    Once the pairs have a number, nobody reads the blobs' ids in the lineage again: it lets go of them.
    """

    def __init__(self, lineage: Lineage, pairs: Pairs) -> None:
        self._lineage = lineage
        self._pairs = pairs
        self._of_slot = array("I", [0]) * len(lineage.roots)
        self._of_birth = array("I")
        """By node; 0 for those with slots."""

    def extend(self) -> None:
        """Take up the nodes made since the last time."""
        lineage, wanted = self._lineage, self._pairs.number
        for node in range(len(self._of_birth), len(lineage.node_path)):
            path, blob, slots = lineage.node_path[node], lineage.node_blob[node], lineage.slots(node)
            lineage.node_blob[node] = b""
            for slot in slots:
                self._of_slot.append(wanted(lineage.old_blob[slot], blob, path, wanted=True))
                lineage.old_blob[slot] = b""
            self._of_birth.append(0 if slots else wanted(self._pairs.null, blob, path, wanted=True))

    def hunks(self, diffs: Diffs, slot: int) -> Hunks | None:
        """A slot's hunks, from the parent's version to the node's; None where one was too large to be read."""
        return diffs.hunks[self._of_slot[slot]]

    def length(self, diffs: Diffs, node: int) -> int | None:
        """How many lines a file had when it was born; None when it was too large to be read."""
        hunks = diffs.hunks[self._of_birth[node]]
        return None if hunks is None else sum(hunks[3::4])


class ForwardPass:
    """Evaluates nodes oldest first; each array goes with its last use.

    `number_of` gives a commit's number; `seeds` the lines of files that left the walk, by slot. None stands for a
    file that cannot be blamed because a version in its history is too large; so do all that come from it.
    """

    def __init__(
        self,
        lineage: Lineage,
        pairs: LineagePairs,
        diffs: Diffs,
        number_of: Callable[[bytes], int],
        seeds: Mapping[int, Lines | None],
    ) -> None:
        self._lineage = lineage
        self._pairs = pairs
        self._diffs = diffs
        self._numbers = [number_of(commit) for commit in lineage.commits]
        self._seeds = seeds
        self._lines: dict[int, Lines | None] = {}
        self._uses = array("I", [0]) * len(lineage.node_path)
        for node in lineage.node_of_slot:
            if node != UNRESOLVED:
                self._uses[node] += 1

    def run(self) -> Iterator[tuple[bytes, Lines | None]]:
        """Each root's path with its lines, as soon as they are known. Copy the lines to keep them: they change.

        Roots that left the walk untouched are not told: nothing happened to them here.
        """
        waiting: dict[int, list[int]] = {}
        for slot in range(len(self._lineage.roots)):
            waiting.setdefault(self._lineage.node_of_slot[slot], []).append(slot)
        for node in range(len(self._lineage.node_path) - 1, -1, -1):
            lines = self._evaluate(node)
            for slot in waiting.pop(node, ()):
                self._uses[node] -= 1
                yield self._lineage.roots[slot], lines
            if self._uses[node]:
                self._lines[node] = lines

    def _evaluate(self, node: int) -> Lines | None:
        slots = self._lineage.slots(node)
        number = self._numbers[self._lineage.node_commit[node]]
        if not slots:
            length = self._pairs.length(self._diffs, node)
            return None if length is None else array("I", [number]) * length
        if len(slots) == 1:  # nearly all of them
            part = self._part(slots[0])
            return None if part is None else apply(part, number)
        parts = [self._part(slot) for slot in slots]
        readable = [part for part in parts if part is not None]
        return merge(readable, number) if len(readable) == len(parts) else None

    def _part(self, slot: int) -> Part | None:
        node = self._lineage.node_of_slot[slot]
        owned = False
        if node == UNRESOLVED:
            lines = self._seeds[slot]
        else:
            self._uses[node] -= 1
            owned = not self._uses[node]
            lines = self._lines.pop(node) if owned else self._lines[node]
        hunks = self._pairs.hunks(self._diffs, slot)
        return None if lines is None or hunks is None else Part(lines, owned, hunks)


def merge(parts: Sequence[Part], number: int) -> Lines:
    """The lines of a version: unchanged ones are the parents', earlier parents first, all others are `number`'s."""
    first, *others = parts
    if not others:
        return apply(first, number)
    lines = apply(first, UNCLAIMED)
    changed = [(start, start + length) for start, length in zip(first.hunks[2::4], first.hunks[3::4], strict=True)]
    for other in others:
        theirs = apply(other, UNCLAIMED)
        for start, end in changed:
            ours = lines[start:end]
            if UNCLAIMED in ours:
                lines[start:end] = _claim(ours, theirs[start:end])
    for start, end in changed:
        ours = lines[start:end]
        if UNCLAIMED in ours:
            lines[start:end] = _claim(ours, [number] * (end - start))
    return lines


def apply(part: Part, number: int) -> Lines:
    """The lines after the hunks, with `number` in every added one; changes the given lines when they are owned."""
    lines, owned, hunks = part
    if len(hunks) > _FEW_NUMBERS:
        return _copy_through(lines, hunks, number)
    if not owned:
        lines = lines[:]
    one = array("I", [number])
    for at in range(len(hunks) - 4, -1, -4):
        start = hunks[at]
        lines[start : start + hunks[at + 1]] = one * hunks[at + 3]
    return lines


def _copy_through(lines: Lines, hunks: Hunks, number: int) -> Lines:
    result, position, one = array("I"), 0, array("I", [number])
    for at in range(0, len(hunks), 4):
        start = hunks[at]
        result += lines[position:start]
        result += one * hunks[at + 3]
        position = start + hunks[at + 1]
    result += lines[position:]
    return result


def _claim(ours: Sequence[int], theirs: Sequence[int]) -> Lines:
    return array("I", [their if our == UNCLAIMED else our for our, their in zip(ours, theirs, strict=True)])
