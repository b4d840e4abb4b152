"""Diffs pairs of blobs in bulk with git's own diff, so that every hunk is the one blame sees.

The pairs are put side by side into made-up trees, which two or more resident `git diff-tree` processes compare; only
the hunk headers are kept. Neither rename detection nor context nor attributes take part.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeAlias

from bot.jobs.analysis.git import Git
from bot.jobs.analysis.locality import ordered
from bot.jobs.analysis.scratch import Entry

TELL_EVERY = 250
CHUNKS_AT_ONCE = 300  # their names fit into a pipe before git answers
CHUNK = 1500  # pairs per made-up tree: small enough to spread evenly and to keep git's memory low
_DIFF = [
    "diff-tree",
    "--stdin",
    "-p",
    "-U0",
    "--full-index",
    "--no-renames",
    "--no-textconv",
    "--no-ext-diff",
    "--no-color",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--diff-algorithm=default",
]
_HEADER = re.compile(rb"\n(?:@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@|diff --git a/(\d+) b)")

Hunks: TypeAlias = "array[int]"
"""Flat (old start, old lines, new start, new lines) of each hunk, counted from 0, in order."""

NO_HUNKS: Hunks = array("I")


class Pairs:
    """The distinct (old blob, new blob) pairs to diff, numbered as they come, each with a path it was seen at.

    `wanted` marks those whose hunks are needed; of the others only the line counts are.
    """

    def __init__(self, null: bytes) -> None:
        self.null = null
        self.wanted = bytearray()
        self._numbers: dict[bytes, int] = {}
        self._keys: list[bytes] = []
        self._paths: list[bytes] = []

    def __len__(self) -> int:
        return len(self._keys)

    def number(self, old: bytes, new: bytes, path: bytes, *, wanted: bool = False) -> int:
        """The pair's number; `old` or `new` is the null id where there is nothing on that side."""
        key = old + new
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._keys)
            self._keys.append(key)
            self._paths.append(path)
            self.wanted.append(False)
        if wanted:
            self.wanted[number] = True
        return number

    def blobs(self, number: int) -> tuple[bytes, bytes]:
        """A pair's two blob ids."""
        key, width = self._keys[number], len(self.null)
        return key[:width], key[width:]

    def seal(self, git: Git) -> Sequence[int]:
        """Take no more pairs, and return all numbers in the order that spares git most."""
        width = len(self.null)
        later = [key[:width] if key.endswith(self.null) else key[width:] for key in self._keys]
        order = ordered(git, later, self._paths)
        self._numbers.clear()
        self._paths.clear()
        return order


class Diffs:
    """What the diffs said: `hunks` of the pairs they were wanted for, lines `added` and `deleted` of every pair."""

    def __init__(self, size: int) -> None:
        self.hunks: list[Hunks | None] = [None] * size
        self.added = array("I", [0]) * size
        self.deleted = array("I", [0]) * size


class BulkDiff:
    """Computes the diffs of numbered pairs with `jobs` processes at a time; `tell` hears how many pairs are done."""

    def __init__(self, git: Git, pairs: Pairs, jobs: int, tell: Callable[[int], None]) -> None:
        self._git = git
        self._pairs = pairs
        self._jobs = jobs
        self._tell = tell
        self._diffs = Diffs(len(pairs))

    def run(self) -> Diffs:
        """Diff every pair; the wanted ones keep their hunks, even where a version looks binary.

        A binary pair counts no lines in a series, as in `git log --numstat`; blame looks inside all the same. A pair
        with a version above the size cap is left without hunks (None). Raises Permanent when git fails.
        """
        order = self._pairs.seal(self._git)
        self._diff(order)
        unread = [number for number in order if self._pairs.wanted[number] and self._is_unread(number)]
        if unread:
            counts = self._diffs.added[:], self._diffs.deleted[:]
            self._diff(self._small_enough(unread), "--text")
            self._diffs.added, self._diffs.deleted = counts
        return self._diffs

    def _diff(self, order: Sequence[int], *options: str) -> None:
        chunks = [range(at, min(at + CHUNK, len(order))) for at in range(0, len(order), CHUNK)]
        jobs = min(self._jobs, len(chunks))
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            work = [pool.submit(self._diff_chunks, order, chunks[job::jobs], options) for job in range(jobs)]
            wait(work, return_when=FIRST_EXCEPTION)
            for done in work:
                done.result()

    def _diff_chunks(self, order: Sequence[int], chunks: Sequence[range], options: Sequence[str]) -> None:
        """Diff some chunks with one process. In a made-up tree, files are called by their place in `order`."""
        for at in range(0, len(chunks), CHUNKS_AT_ONCE):
            questions = b"".join(self._question(order, places) for places in chunks[at : at + CHUNKS_AT_ONCE])
            untold = 0
            for place, flat in _hunks(self._git.chunks(*_DIFF, *options, feed=questions)):
                self._keep(order[place], flat)
                untold += 1
                if untold == TELL_EVERY:
                    self._tell(untold)
                    untold = 0
            self._tell(untold)

    def _question(self, order: Sequence[int], places: range) -> bytes:
        """A line for `diff-tree --stdin`: a tree of the old blobs of these pairs, and one of the new."""
        olds, news = [], []
        for place in places:
            old, new = self._pairs.blobs(order[place])
            name = b"%08d" % place
            if old != self._pairs.null:
                olds.append(Entry(b"100644", name, old))
            if new != self._pairs.null:
                news.append(Entry(b"100644", name, new))
        return b"%s %s\n" % (self._git.trees.write(olds), self._git.trees.write(news))

    def _keep(self, number: int, flat: list[int]) -> None:
        self._diffs.added[number] = sum(flat[3::4])
        self._diffs.deleted[number] = sum(flat[1::4])
        if self._pairs.wanted[number]:
            self._diffs.hunks[number] = array("I", flat) if flat else NO_HUNKS

    def _is_unread(self, number: int) -> bool:
        """Whether git showed no hunk for versions that differ: one is binary, or too large."""
        if self._diffs.hunks[number] or set(self._pairs.blobs(number)) == {self._git.null, self._git.empty_blob}:
            return False
        self._diffs.hunks[number] = None
        return True

    def _small_enough(self, numbers: Sequence[int]) -> list[int]:
        sizes = blob_sizes(self._git, {blob for number in numbers for blob in self._pairs.blobs(number)})
        cap = self._git.max_blob_bytes
        return [number for number in numbers if all(sizes.get(blob, 0) < cap for blob in self._pairs.blobs(number))]


def blob_sizes(git: Git, ids: Iterable[bytes]) -> dict[bytes, int]:
    """The sizes in bytes of those blobs that exist."""
    asked = b"".join(blob + b"\n" for blob in ids)
    answers = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", feed=asked).splitlines()
    return {blob: int(size) for blob, _, size in (line.partition(b" ") for line in answers) if size.isdigit()}


def _hunks(pieces: Iterable[bytes]) -> Iterator[tuple[int, list[int]]]:
    """Each pair's number and flat hunks from a stream of patches; the lines themselves are passed over."""
    flat: list[int] = []
    rest, number = b"\n", -1
    for piece in pieces:
        end = piece.rfind(b"\n")
        if end < 0:
            rest += piece
            continue
        buffer, rest = rest + piece[:end], piece[end:]
        for old, olds, new, news, named in _HEADER.findall(buffer):
            if named:
                if number >= 0:
                    yield number, flat
                number, flat = int(named), []
            else:
                flat += _hunk(old, olds, new, news)
    if number >= 0:
        yield number, flat


def _hunk(old: bytes, olds: bytes, new: bytes, news: bytes) -> tuple[int, int, int, int]:
    """One hunk header, counted from 0; a side without lines is numbered by the line before it."""
    removed = int(olds) if olds else 1
    added = int(news) if news else 1
    return int(old) - (removed > 0), removed, int(new) - (added > 0), added
