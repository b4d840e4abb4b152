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
    """What one parent's version gives: its lines, which may be changed in place, and the hunks from there."""

    lines: Lines
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

    def hunks(self, diffs: Diffs) -> list[Hunks | None]:
        """By slot, the hunks from the parent's version to the node's; None where one was too large, and for roots."""
        roots = len(self._lineage.roots)
        return [None] * roots + [diffs.hunks[number] for number in self._of_slot[roots:]]

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
        self._hunks = pairs.hunks(diffs)
        self._pairs = pairs
        self._diffs = diffs
        self._numbers = [number_of(commit) for commit in lineage.commits]
        self._seeds = seeds
        self._lines: list[Lines | None] = [None] * len(lineage.node_path)
        self._uses = [0] * len(lineage.node_path)
        for node in lineage.node_of_slot:
            if node != UNRESOLVED:
                self._uses[node] += 1

    def run(self) -> Iterator[tuple[bytes, Lines | None]]:
        """Each root's path with its lines, as soon as they are known. Copy the lines to keep them: they change.

        Roots that left the walk untouched are not told: nothing happened to them here.
        """
        lineage, waiting, lines_of = self._lineage, self._roots_of(), self._lines
        end = len(lineage.old_blob)
        for node in range(len(lines_of) - 1, -1, -1):
            start, number = lineage.first_slot[node], self._numbers[lineage.node_commit[node]]
            if end - start == 1:  # nearly all of them
                lines, hunks = self._take(start), self._hunks[start]
                lines = None if lines is None or hunks is None else apply(lines, hunks, number)
            else:
                lines = self._evaluate(node, range(start, end), number)
            end = start
            for slot in waiting.get(node, ()):
                self._uses[node] -= 1
                yield lineage.roots[slot], lines
            if self._uses[node]:
                lines_of[node] = lines

    def _roots_of(self) -> dict[int, list[int]]:
        """The roots that wait for a node, by node."""
        waiting: dict[int, list[int]] = {}
        for slot in range(len(self._lineage.roots)):
            waiting.setdefault(self._lineage.node_of_slot[slot], []).append(slot)
        return waiting

    def _evaluate(self, node: int, slots: range, number: int) -> Lines | None:
        """The lines of a node without parents' versions, or with several."""
        if not slots:
            length = self._pairs.length(self._diffs, node)
            return None if length is None else array("I", [number]) * length
        parts = [(self._take(slot), self._hunks[slot]) for slot in slots]
        readable = [Part(lines, hunks) for lines, hunks in parts if lines is not None and hunks is not None]
        return merge(readable, number) if len(readable) == len(parts) else None

    def _take(self, slot: int) -> Lines | None:
        """The lines of the version a slot names, to be changed in place: copied while others still need them."""
        node = self._lineage.node_of_slot[slot]
        if node == UNRESOLVED:
            lines, needed = self._seeds[slot], True
        else:
            lines, needed = self._lines[node], self._uses[node] > 1
            self._uses[node] -= 1
            if not needed:
                self._lines[node] = None
        return lines[:] if needed and lines is not None else lines


def merge(parts: Sequence[Part], number: int) -> Lines:
    """The lines of a version: unchanged ones are the parents', earlier parents first, all others are `number`'s."""
    first, *others = parts
    if not others:
        return apply(*first, number)
    lines = apply(*first, UNCLAIMED)
    changed = [(start, start + length) for start, length in zip(first.hunks[2::4], first.hunks[3::4], strict=True)]
    for other in others:
        theirs = apply(*other, UNCLAIMED)
        for start, end in changed:
            ours = lines[start:end]
            if UNCLAIMED in ours:
                lines[start:end] = _claim(ours, theirs[start:end])
    for start, end in changed:
        ours = lines[start:end]
        if UNCLAIMED in ours:
            lines[start:end] = _claim(ours, [number] * (end - start))
    return lines


def apply(lines: Lines, hunks: Hunks, number: int) -> Lines:
    """The lines after the hunks, with `number` in every added one; the given ones may be changed for it."""
    if len(hunks) > _FEW_NUMBERS:
        return _copy_through(lines, hunks, number)
    one = array("I", (number,))
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
