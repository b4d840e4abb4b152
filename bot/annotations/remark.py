"""What a tool said about a line of a file: as it was read, and as it stands in the repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FAILURE, WARNING, NOTICE = "failure", "warning", "notice"
"""Levels, the gravest first; the words are those of GitHub's check runs."""
LEVELS = (FAILURE, WARNING, NOTICE)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1; the path is as the tool wrote it."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a tool said. Of its places, the best one first, that which is in the repository counts."""

    places: tuple[Place, ...]
    level: str
    message: str
    title: str
    tool: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding on lines of a file of the repository; `path` is relative to its root."""

    path: str
    line: int
    end_line: int
    level: str
    message: str
    title: str
    tool: str


Parser = Callable[[Sequence[str]], Iterator[Finding]]
"""Reads one stream of clean lines (see `lines.py`); gives what it recognises and passes over the rest."""


def finding(path: str, line: str | int, level: str, message: str, title: str, tool: str) -> Finding:
    """A finding with one place."""
    return Finding((Place(path, int(line)),), level, message.strip(), title, tool)
