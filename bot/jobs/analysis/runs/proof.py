"""Proves a run right: asks `git blame` about a few files while the rest goes on, and compares line by line."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.blame.oracle import Oracle
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.reports.report import Proof


class Prover:
    """Holds our lines of the sampled files until git's are there. Used as a context: leaving it waits for git."""

    def __init__(self, oracle: Oracle, sampled: Iterable[bytes]) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._oracle = oracle
        self._asked = {path: self._pool.submit(oracle.ask, path) for path in sampled}
        self._ours: dict[bytes, Lines] = {}

    def __enter__(self) -> Prover:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def keep(self, path: bytes, lines: Lines | None) -> None:
        """Take our lines of a file, if it is one of the sample; a file we could not read proves nothing."""
        if path in self._asked and lines is not None:
            self._ours[path] = array("I", lines)

    def keep_all(self, lines_of: Callable[[bytes], Lines]) -> None:
        """Take our lines of the whole sample; `lines_of` raises KeyError for a file we could not read."""
        for path in self._asked:
            with suppress(KeyError):
                self._ours[path] = lines_of(path)

    def compare(self) -> Proof:
        """Wait for git and say where it differs."""
        differing = [path for path, lines in self._ours.items() if self._gits(path) != lines]
        return Proof(len(self._ours), tuple(map(readable, differing)))

    def _gits(self, path: bytes) -> Lines:
        return self._oracle.lines(self._asked[path].result())
