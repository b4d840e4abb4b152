"""Asks `git blame` itself: for a few files of every run, to prove it right, and for all when it was not."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.errors import Permanent
from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.repositories.git import Git

Entry = tuple[bytes, int, int]
"""A commit's id, the first of its lines (from 0), and how many follow one another."""


class Oracle:
    """Blames files of one commit with git. `number_of` gives a commit's number."""

    def __init__(self, git: Git, number_of: Callable[[bytes], int], *, ignore_revs: Path | None = None) -> None:
        self._git = git
        self._number_of = number_of
        self._options = [f"--ignore-revs-file={ignore_revs}"] if ignore_revs else []

    def blame(self, path: bytes, commit: bytes | None = None) -> Lines:
        """The lines of one file, as git attributes them. Raises Permanent when git fails."""
        return self.lines(self.ask(path, commit))

    def ask(self, path: bytes, commit: bytes | None = None) -> list[Entry]:
        """What git says of one file, by commit ids: no commit needs to be known yet."""
        return list(blame_entries(self._git, path, commit or self._git.head, *self._options))

    def lines(self, entries: Sequence[Entry]) -> Lines:
        """The same as commit numbers, once the commits are known."""
        lines = array("I", [0]) * sum(length for _, _, length in entries)
        for oid, start, length in entries:
            lines[start : start + length] = array("I", [self._number_of(oid)]) * length
        return lines

    def blame_all(self, paths: Iterable[bytes], jobs: int) -> Iterator[tuple[bytes, Lines]]:
        """Blame many files, `jobs` at a time."""
        names = list(paths)
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            yield from zip(names, pool.map(self.blame, names), strict=True)

    def speed_up(self) -> None:
        """Write a commit graph with Bloom filters of changed paths (into the private directory) for many blames."""
        self._git.run("commit-graph", "write", "--stdin-commits", "--changed-paths", feed=self._git.head + b"\n")


def sample(paths: Mapping[bytes, object], count: int, seed: bytes) -> list[bytes]:
    """`count` files at random; the same for the same commit, so that a difference can be looked into."""
    return random.Random(seed).sample(sorted(paths), min(count, len(paths)))  # noqa: S311 - no secret


def blame_entries(git: Git, path: bytes, commit: bytes, *options: str) -> Iterator[Entry]:
    """Each entry of `git blame`; a line `filename …` ends one."""
    told = git.run("blame", "--incremental", *options, commit, "--", path)
    at_header = True
    for line in told.split(b"\n"):
        if at_header and line:
            fields = line.split(b" ")
            if len(fields) != 4:
                raise Permanent("git_failed", command="git blame", exit_code=0, detail="its output was not understood")
            yield fields[0], int(fields[2]) - 1, int(fields[3])
            at_header = False
        elif line.startswith(b"filename "):
            at_header = True
