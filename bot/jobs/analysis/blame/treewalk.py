"""Reads a history as commits with the paths they changed; trees only, no blob is opened."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.jobs.analysis.repositories.git import Coprocess, Git

_CHANGE = re.compile(rb":(.{6}) (.{6}) ([^ ]+) ([^ ]+) (.)[^\0]*\0([^\0]+)")
_LATEST = (1 << 63) - 1  # what a column of times holds; git passes on whatever digits a commit has
COMMITS_AT_ONCE = 900  # the ids of as many merges fit into a pipe before git answers


class Change(NamedTuple):
    """One path changed against the first parent. Modes are octal text, ids hexadecimal, `status` one of A D M T."""

    old_mode: bytes
    new_mode: bytes
    old: bytes
    new: bytes
    status: bytes
    path: bytes


class Combined(NamedTuple):
    """A path of a merge that differs from every parent: its mode and blob in each of them, in order."""

    modes: list[bytes]
    blobs: list[bytes]


class Commit(NamedTuple):
    """One commit as blame and the series need it. `time` is the author's, in seconds since 1970 UTC."""

    oid: bytes
    parents: list[bytes]
    name: bytes
    email: bytes
    time: int
    changes: list[Change]
    combined: dict[bytes, Combined]


def walk(git: Git, start: bytes, without: Sequence[bytes] = ()) -> Iterator[Commit]:
    """Commits reachable from `start` but from none of `without`, children before their parents.

    One process lists them with their changes against the first parent; a second is asked about the merges, in which
    paths they differ from all parents. The first begins at once: git sorts a history before it says anything.
    """
    marker = b"\1" + secrets.token_hex(8).encode()  # random, so that no name or path can look like one
    scope = [start, *(b"^" + oid for oid in without), b"--"]
    told = f"--format={marker.decode()}%H %P%x00%an%x00%ae%x00%at"
    raw = ("--topo-order", "--raw", "--no-renames", "--no-abbrev", "-z", "--diff-merges=first-parent")
    return _commits(git, _records(git.chunks("log", *raw, told, *scope), marker))


def _commits(git: Git, listed: Iterable[list[bytes]]) -> Iterator[Commit]:
    merges = _Merges(git)
    for records in listed:
        for at in range(0, len(records), COMMITS_AT_ONCE):
            yield from merges.combine([_commit(record) for record in records[at : at + COMMITS_AT_ONCE]])
    merges.close()


class _Merges:
    """Tells of merges, many at a time, the paths that differ from every parent; git is started for the first one."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._teller: Coprocess | None = None

    def combine(self, commits: list[Commit]) -> list[Commit]:
        """The same commits, the merges among them with `combined` filled in."""
        asked = [commit.oid for commit in commits if len(commit.parents) > 1 and commit.changes]
        if not asked:
            return commits
        self._teller = self._teller or Coprocess(
            self._git, *["diff-tree", "--stdin", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", "-c"]
        )
        told = _combined(self._teller.ask_until_echo(b"".join(oid + b"\n" for oid in asked)))
        return [commit._replace(combined=told[commit.oid]) if commit.oid in told else commit for commit in commits]

    def close(self) -> None:
        """End git, if it was started."""
        if self._teller is not None:
            self._teller.close()


def parse_raw(listed: bytes) -> list[Change]:
    """Changes from the output of `--raw -z`: modes, ids and status, then a path, each ended by a NUL."""
    return list(map(Change._make, _CHANGE.findall(listed)))


def _commit(record: bytes) -> Commit:
    ids, name, email, time, *listed = record.split(b"\0", 4)  # what changes nothing ends with the time
    oid, *parents = ids.split()
    changes = parse_raw(listed[0]) if listed else []
    return Commit(oid, parents, name, email, min(int(time.strip() or 0), _LATEST), changes, {})


def _combined(answer: bytes) -> dict[bytes, dict[bytes, Combined]]:
    """By merge, its paths that differ from all parents; `-c --raw -z` writes an id, then modes and blobs by path."""
    told: dict[bytes, dict[bytes, Combined]] = {}
    paths: dict[bytes, Combined] = {}
    tokens = iter(answer.split(b"\0"))
    for token in tokens:
        if not token.startswith(b":"):
            paths = told[token] = {}
            continue
        fields = token.lstrip(b":").split(b" ")
        parents = (len(fields) - 3) // 2
        paths[next(tokens)] = Combined(fields[:parents], fields[parents + 1 : 2 * parents + 1])
    return told


def _records(pieces: Iterator[bytes], marker: bytes) -> Iterator[list[bytes]]:
    """Split a stream of pieces at the marker, as many records at a time as came; the NUL that ends one goes with it."""
    rest, separator = b"\0", b"\0" + marker
    for piece in pieces:
        *whole, rest = (rest + piece).split(separator)
        yield [record for record in whole if record]  # before the first marker there is nothing
    yield [rest] if rest != b"\0" else []
