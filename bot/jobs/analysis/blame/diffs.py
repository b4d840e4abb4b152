"""Diffs pairs of blobs in bulk with git's own diff, so that every hunk is the one blame sees.

The pairs are put side by side into made-up trees, which two or more resident `git diff-tree` processes compare; only
the hunk headers are kept. Neither rename detection nor context nor attributes take part. Of a pair with nothing on one
side only the number of lines is asked: git is spared from writing out whole files, and we from reading them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, TypeAlias

from bot.jobs.analysis.blame.locality import ordered
from bot.jobs.analysis.repositories.git import Git

TELL_EVERY = 250
CHUNKS_AT_ONCE = 300  # their names fit into a pipe before git answers
CHUNK = 1500  # pairs per made-up tree, at the most: more would cost git memory
SMALLEST_CHUNK = 250  # fewer are not worth a process of their own
CHUNKS_OF_A_JOB = 8  # at the least, where there are enough pairs: dear ones come in runs, and are spread over all jobs
_COMPARE = ("diff-tree", "--stdin", "--no-renames", "--no-textconv", "--no-ext-diff", "--no-color")
_PATCH = (
    "-p",
    "-U0",
    "--full-index",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--diff-algorithm=default",
)
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

    def is_one_sided(self, number: int) -> bool:
        """Whether a file was born, or went away."""
        return self.null in self.blobs(number)

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
        self._jobs = max(1, jobs)
        self._tell = tell
        self._diffs = Diffs(len(pairs))

    def run(self) -> Diffs:
        """Diff every pair; the wanted ones keep their hunks, even where a version looks binary.

        A binary pair counts no lines in a series, as in `git log --numstat`; blame looks inside all the same. A pair
        with a version above the size cap is left without hunks (None). Raises Permanent when git fails.
        """
        alone = [number for number in range(len(self._pairs)) if self._pairs.is_one_sided(number)]
        with ThreadPoolExecutor(self._jobs) as pool:
            work = self._share(pool, alone, _COUNTS)  # in any order, so these need not wait for one
            order = self._pairs.seal(self._git)
            both = [number for number in order if not self._pairs.is_one_sided(number)]
            _await([*work, *self._share(pool, both, _PATCHES)])
            unread = [number for number in order if self._pairs.wanted[number] and self._is_unread(number)]
            if unread:
                counts = self._diffs.added[:], self._diffs.deleted[:]
                _await(self._share(pool, self._small_enough(unread), _TEXT_PATCHES))
                self._diffs.added, self._diffs.deleted = counts
        return self._diffs

    def _share(self, pool: Executor, numbers: Sequence[int], way: _Way) -> list[Future[None]]:
        """Begin the work on some pairs, in as many shares as there are jobs, or fewer."""
        fair = len(numbers) // (self._jobs * CHUNKS_OF_A_JOB) + 1
        size = min(max(fair, SMALLEST_CHUNK), CHUNK)
        chunks = [range(at, min(at + size, len(numbers))) for at in range(0, len(numbers), size)]
        jobs = min(self._jobs, len(chunks))
        return [pool.submit(self._diff_chunks, numbers, chunks[job::jobs], way) for job in range(jobs)]

    def _diff_chunks(self, order: Sequence[int], chunks: Sequence[range], way: _Way) -> None:
        """Diff some chunks with one process. In a made-up tree, files are called by their place in `order`."""
        for at in range(0, len(chunks), CHUNKS_AT_ONCE):
            questions = (self._question(order, places) for places in chunks[at : at + CHUNKS_AT_ONCE])
            untold = 0
            for place, flat in way.read(self._git.chunks(*_COMPARE, *way.options, feed=questions)):
                self._keep(order[place], flat)
                untold += 1
                if untold == TELL_EVERY:
                    self._tell(untold)
                    untold = 0
            self._tell(untold)

    def _question(self, order: Sequence[int], places: range) -> bytes:
        """A line for `diff-tree --stdin`: a tree of the old blobs of these pairs, and one of the new."""
        olds, news = zip(*(self._pairs.blobs(order[place]) for place in places), strict=True)
        return b"%s %s\n" % (self._tree(places, olds), self._tree(places, news))

    def _tree(self, places: range, blobs: Sequence[bytes]) -> bytes:
        """A tree of those blobs that there are."""
        there = [(b"%08d" % place, blob) for place, blob in zip(places, blobs, strict=True) if blob != self._pairs.null]
        return self._git.trees.write_files((name for name, _ in there), (blob for _, blob in there))

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


def _lengths(pieces: Iterable[bytes]) -> Iterator[tuple[int, list[int]]]:
    """Each one-sided pair's number and the one hunk it is, if any, from what `--numstat` tells (`-` for binary)."""
    for line in b"".join(pieces).splitlines():
        added, tab, rest = line.partition(b"\t")
        deleted, _, named = rest.partition(b"\t")
        if tab:
            hunk = [0, int(deleted), 0, int(added)] if added != b"-" else []
            yield int(named), hunk if any(hunk) else []


def _await(work: Sequence[Future[None]]) -> None:
    """Wait until all of it is done. Raises what any of it raised first."""
    wait(work, return_when=FIRST_EXCEPTION)
    for done in work:
        done.result()


class _Way(NamedTuple):
    """How pairs are compared: what git is asked for, and how its answer is read."""

    options: Sequence[str]
    read: Callable[[Iterable[bytes]], Iterator[tuple[int, list[int]]]]


_PATCHES = _Way(_PATCH, _hunks)
_TEXT_PATCHES = _Way((*_PATCH, "--text"), _hunks)
_COUNTS = _Way(("--numstat",), _lengths)


def _hunk(old: bytes, olds: bytes, new: bytes, news: bytes) -> tuple[int, int, int, int]:
    """One hunk header, counted from 0; a side without lines is numbered by the line before it."""
    removed = int(olds) if olds else 1
    added = int(news) if news else 1
    return int(old) - (removed > 0), removed, int(new) - (added > 0), added
