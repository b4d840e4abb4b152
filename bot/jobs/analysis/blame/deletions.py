"""Knows what a commit removed: where a new path may have come from, found without looking through all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.jobs.analysis.blame.treewalk import Change

_FILE = b"10"  # how the mode of a regular file begins


class Source(NamedTuple):
    """A path that a parent had and the commit has not."""

    mode: bytes
    blob: bytes
    path: bytes


class Deletions:
    """The paths one commit removed, against one parent, as `sources` in order. Equal where the same were removed."""

    def __init__(self, changes: Sequence[Change]) -> None:
        removed = [Source(change.old_mode, change.old, change.path) for change in changes if change.status == b"D"]
        self.sources = tuple(removed)
        self.has_files = any(is_file(source.mode) for source in removed)
        self._hash = hash(self.sources)
        self._by_blob: dict[tuple[bytes, bytes], Source] = {}
        self._by_name: dict[tuple[bytes, bytes, bytes], Source] = {}
        for source in removed:
            kind = _kind(source.mode)
            self._by_blob.setdefault((kind, source.blob), source)
            self._by_name.setdefault((kind, source.blob, base_name(source.path)), source)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deletions) and self.sources == other.sources

    def same(self, mode: bytes, blob: bytes, path: bytes) -> Source | None:
        """The first one with this very content, of the same kind; one with the same base name before others."""
        kind = _kind(mode)
        return self._by_name.get((kind, blob, base_name(path))) or self._by_blob.get((kind, blob))


def is_file(mode: bytes) -> bool:
    """Whether a mode is a regular file's."""
    return mode.startswith(_FILE)


def base_name(path: bytes) -> bytes:
    """What follows the last slash."""
    return path.rsplit(b"/", 1)[-1]


def _kind(mode: bytes) -> bytes:
    """Regular files are of one kind whatever their permissions; anything else only with the same mode."""
    return _FILE if is_file(mode) else mode
