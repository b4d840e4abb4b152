"""Asks `git blame` itself: for a few files of every run, to prove it right, and for all when it was not."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bot.errors import Permanent
from bot.jobs.analysis.blame.forward import Lines
from bot.jobs.analysis.repositories.git import Git

Entry = tuple[bytes, int, int]
"""A commit's id, the first of its lines (from 0), and how many follow one another."""


class Answer(NamedTuple):
    """What git said of one file: the ids of `commits`, and for each entry a place among them, first line and length."""

    commits: list[bytes]
    entries: array[int]


class Oracle:
    """Blames files of one commit with git. `number_of` gives a commit's number."""

    def __init__(self, git: Git, number_of: Callable[[bytes], int], *, ignore_revs: Path | None = None) -> None:
        self._git = git
        self._number_of = number_of
        self._options = [f"--ignore-revs-file={ignore_revs}"] if ignore_revs else []

    def blame(self, path: bytes, commit: bytes | None = None) -> Lines:
        """The lines of one file, as git attributes them. Raises Permanent when git fails."""
        return self.lines(self.ask(path, commit))

    def ask(self, path: bytes, commit: bytes | None = None) -> Answer:
        """What git says of one file, by commit ids: no commit needs to be known yet."""
        places: dict[bytes, int] = {}
        entries = array("I")
        for oid, start, length in blame_entries(self._git, path, commit or self._git.head, *self._options):
            entries.extend((places.setdefault(oid, len(places)), start, length))
        return Answer(list(places), entries)

    def lines(self, answer: Answer) -> Lines:
        """The same as commit numbers, once the commits are known."""
        commits, entries = [array("I", [self._number_of(oid)]) for oid in answer.commits], answer.entries
        lines = array("I", [0]) * sum(entries[2::3])
        for place, start, length in zip(entries[::3], entries[1::3], entries[2::3], strict=True):
            lines[start : start + length] = commits[place] * length
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
    """Each entry of `git blame` as it is found; a line `filename …` ends one."""
    told = git.chunks("blame", "--incremental", *options, commit, "--", path)
    at_header = True
    for line in _lines(told):
        if at_header and line:
            fields = line.split(b" ")
            if len(fields) != 4:
                raise Permanent("git_failed", command="git blame", exit_code=0, detail="its output was not understood")
            yield fields[0], int(fields[2]) - 1, int(fields[3])
            at_header = False
        elif line.startswith(b"filename "):
            at_header = True


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what comes piece by piece; what git tells of a large file is many times as long as the file."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
