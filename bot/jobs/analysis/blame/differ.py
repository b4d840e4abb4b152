"""Has git compare pairs of blobs, a batch at a time: one resident process for each way of comparing.

A batch is put side by side into two made-up trees, which `git diff-tree` compares; only the hunk headers are kept.
Neither rename detection nor context nor attributes take part. Of a pair with nothing on one side only the number of
lines is asked: git is spared from writing out whole files, and we from reading them.
"""

from __future__ import annotations

import contextlib
import os
import re
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.errors import Permanent
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.repositories.git import READ_BYTES, Git

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
_END = b"end of answer"
"""A line that is no question: git echoes it. In a patch no line of a file can look like it."""
_LONGEST_HEADER = 1024
_HEADER = re.compile(rb"\n(?:@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@|diff --git a/(\d+) b|" + _END + b")")

Told = tuple[int, list[int]]
"""A pair (by its place in the batch, then by its number) and its hunks, as `diffs.Hunks` has them."""


class Way(NamedTuple):
    """How pairs are compared: what git is asked for, and how its answers are read (None after each)."""

    options: Sequence[str]
    read: Callable[[Iterable[bytes]], Iterator[Told | None]]
    settings: Sequence[str] = ()


class Differ:
    """A git process that compares one batch after another; the next may be asked before the last is answered."""

    def __init__(self, git: Git, pairs: Pairs, way: Way) -> None:
        self._git = git
        self._pairs = pairs
        self._child = git.start(*way.settings, *_COMPARE, *way.options, takes_input=True)
        self._told = way.read(self._pieces())
        self._asked: list[Sequence[int]] = []
        self._heads: list[bytes] = []

    @property
    def unread(self) -> int:
        """Questions whose answers were not read yet."""
        return len(self._asked)

    def ask(self, numbers: Sequence[int]) -> None:
        """Let git begin on these pairs."""
        self._asked.append(numbers)
        width = len(self._pairs.null) // 2
        raw = unhexlify(b"".join(map(self._pairs.key, numbers)))
        olds, news = ([raw[at : at + width] for at in range(side, len(raw), 2 * width)] for side in (0, width))
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: reading finds out and says why
            self._child.stdin.write(b"%s %s\n%s\n" % (self._tree(olds), self._tree(news), _END))
            self._child.stdin.flush()

    def answer(self) -> Iterator[Told]:
        """Numbers and hunks of the pairs that were asked about first, as far as git shows any.

        Raises Permanent when git fails, Cancelled after a stop.
        """
        numbers = self._asked.pop(0)
        for told in self._told:
            if told is None:
                return
            yield numbers[told[0]], told[1]
        self._git.finish(self._child)
        raise Permanent("git_failed", command="git diff-tree", exit_code=0, detail="it ended before it answered")

    def close(self) -> None:
        """Let git end. Raises Permanent when it failed."""
        self._git.finish(self._child)

    def _tree(self, blobs: Sequence[bytes]) -> bytes:
        """A tree of those blobs (by their ids' bytes) that there are, each called by its place."""
        self._heads += [b"100644 %08d\0" % place for place in range(len(self._heads), len(blobs))]
        none = bytes(len(blobs[0]))
        entries = [head + blob for head, blob in zip(self._heads, blobs, strict=False) if blob != none]
        return self._git.trees.write_stored(entries)

    def _pieces(self) -> Iterator[bytes]:
        assert self._child.stdout is not None
        source = self._child.stdout.fileno()
        while piece := os.read(source, READ_BYTES):
            yield piece


def _hunks(pieces: Iterable[bytes]) -> Iterator[Told | None]:
    """Each pair's hunks from a stream of patches; the lines themselves are passed over."""
    flat: list[int] = []
    rest, pair = b"\n", -1
    for piece in pieces:
        end = piece.rfind(b"\n")
        if end < 0:
            rest = (rest + piece)[:_LONGEST_HEADER]  # the middle of a long line: its beginning says what it is
            continue
        buffer, rest = rest + piece[:end], piece[end:]
        for old, olds, new, news, named in _HEADER.findall(buffer):
            if old:  # counted from 0; a side without lines is numbered by the line before it
                removed, added = int(olds or b"1"), int(news or b"1")
                flat += (int(old) - (removed > 0), removed, int(new) - (added > 0), added)
                continue
            if pair >= 0:
                yield pair, flat
            pair, flat = int(named or -1), []
            if not named:
                yield None


def _lengths(pieces: Iterable[bytes]) -> Iterator[Told | None]:
    """Each one-sided pair's one hunk, if any, from what `--numstat` tells (`-` for binary)."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            added, tab, others = line.partition(b"\t")
            deleted, _, named = others.partition(b"\t")
            if tab:
                hunk = [0, int(deleted), 0, int(added)] if added != b"-" else []
                yield int(named), hunk if any(hunk) else []
            elif line == _END:
                yield None


_ROOMY = ("-c", "core.deltaBaseCacheLimit=8m", "-c", "core.packedGitLimit=16m")  # four times what others need
PATCHES = Way(_PATCH, _hunks, _ROOMY)
DEEP_PATCHES = Way(_PATCH, _hunks, ("-c", "core.deltaBaseCacheLimit=28m", "-c", "core.packedGitLimit=8m"))
"""For a pack that mixes files: with more cache still git has a third of the work."""
TEXT_PATCHES = Way((*_PATCH, "--text"), _hunks)
COUNTS = Way(("--numstat",), _lengths, _ROOMY)
