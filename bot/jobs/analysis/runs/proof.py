"""Proves a run right: asks `git blame` about a few files while the rest goes on, and compares line by line.

Small files are asked about first. To blame a large one takes git twenty times its size in memory, so that one is asked
about only where there are too few others, and once the rest is done.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from bot.jobs.analysis.blame.diffs import blob_sizes
from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.blame.oracle import Answer, Oracle, sample
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.reports.report import Proof
from bot.jobs.analysis.repositories.git import Git

SMALL_BYTES = 1 << 20
DRAWN_FOR_EACH = 4
"""Files that are drawn for each one that is asked about, so that enough of them are small."""


class Sampled(NamedTuple):
    """The paths of one proof: `small` files are asked about at once, `large` ones in the end."""

    small: Sequence[bytes]
    large: Sequence[bytes]


def choose(git: Git, blobs: Mapping[bytes, bytes], count: int) -> Sampled:
    """`count` of these files (path to blob) at random, small ones as far as they were drawn."""
    drawn = sample(blobs, count * DRAWN_FOR_EACH, git.head)
    sizes = blob_sizes(git, {blobs[path] for path in drawn}) if drawn else {}
    small = [path for path in drawn if sizes.get(blobs[path], 0) < SMALL_BYTES][:count]
    return Sampled(small, [path for path in drawn if path not in small][: count - len(small)])


class Prover:
    """Holds our lines of the sampled files until git's are there. Used as a context: leaving it waits for git."""

    def __init__(self, git: Git, number_of: Callable[[bytes], int], blobs: Mapping[bytes, bytes], count: int) -> None:
        """`count` of the files (path to blob) are proven; `number_of` gives a commit's number."""
        self._pool = ThreadPoolExecutor(1)
        self._oracle = Oracle(git, number_of)
        self._sampled = self._pool.submit(choose, git, blobs, count)
        self._asked = self._pool.submit(self._ask)
        self._ours: dict[bytes, Lines] = {}

    def __enter__(self) -> Prover:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def keep(self, path: bytes, lines: Lines | None) -> None:
        """Take our lines of a file, if it is one of the sample; a file we could not read proves nothing."""
        if path in self._paths() and lines is not None:
            self._ours[path] = array("I", lines)

    def keep_all(self, lines_of: Callable[[bytes], Lines]) -> None:
        """Take our lines of the whole sample; `lines_of` raises KeyError for a file we could not read."""
        for path in self._paths():
            with suppress(KeyError):
                self._ours[path] = lines_of(path)

    def compare(self) -> Proof:
        """Wait for git, ask about the large files too, and say where it differs."""
        asked = self._asked.result()
        asked |= {path: self._oracle.ask(path) for path in self._sampled.result().large if path in self._ours}
        differing = [path for path, lines in self._ours.items() if self._oracle.lines(asked[path]) != lines]
        return Proof(len(self._ours), tuple(map(readable, differing)))

    def _paths(self) -> Sequence[bytes]:
        sampled = self._sampled.result()
        return [*sampled.small, *sampled.large]

    def _ask(self) -> dict[bytes, Answer]:
        return {path: self._oracle.ask(path) for path in self._sampled.result().small}
