"""Reads a history as commits with the paths they changed; trees only, no blob is opened."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.errors import Permanent
from bot.jobs.analysis.git import Git


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

    Two processes run side by side: one tells the changes against the first parent, the other, for merges, the paths
    that differ from all parents. Both list the same commits in the same order.
    """
    marker = b"\1" + secrets.token_hex(8).encode()  # random, so that no name or path can look like one
    scope = [start, *(b"^" + oid for oid in without), b"--"]
    common = ("log", "--topo-order", "--raw", "--no-renames", "--no-abbrev", "-z")
    header = "%H %P%x00%an%x00%ae%x00%at"
    plain = git.chunks(*common, "--diff-merges=first-parent", f"--format={marker.decode()}{header}", *scope)
    merges = git.chunks(*common, "--merges", "-c", f"--format={marker.decode()}%H", *scope)
    combined = _records(merges, marker)
    for record in _records(plain, marker):
        yield _commit(record.split(b"\0"), combined)


def deletions(changes: Iterable[Change]) -> list[Change]:
    """The paths that went away: where a rename may have come from."""
    return [change for change in changes if change.status == b"D"]


def parse_raw(tokens: Sequence[bytes]) -> list[Change]:
    """Changes from the tokens of `--raw -z` output: one of modes, ids and status, then one of the path."""
    found = []
    for index in range(0, len(tokens) - 1, 2):
        old_mode, new_mode, old, new, status = tokens[index].split(b" ")
        found.append(Change(old_mode[-6:], new_mode, old, new, status[:1], tokens[index + 1]))
    return found


def _commit(tokens: list[bytes], combined: Iterator[bytes]) -> Commit:
    oid, *parents = tokens[0].split()
    merge = _combined(oid, combined) if len(parents) > 1 else {}
    time = int(tokens[3].strip() or 0)
    return Commit(oid, parents, tokens[1], tokens[2], time, parse_raw(tokens[4:]), merge)


def _combined(oid: bytes, records: Iterator[bytes]) -> dict[bytes, Combined]:
    """The next merge's paths that differ from all parents; `-c -z` may write an empty token after the header."""
    tokens = [token for token in next(records, b"").split(b"\0") if token.strip(b"\n")]
    if not tokens or tokens[0].strip() != oid:
        raise Permanent("git_failed", command="git log", exit_code=0, detail="two listings of merges disagree")
    found = {}
    for index in range(1, len(tokens) - 1, 2):
        fields = tokens[index].lstrip(b"\n:").split(b" ")
        parents = (len(fields) - 3) // 2
        found[tokens[index + 1]] = Combined(fields[:parents], fields[parents + 1 : 2 * parents + 1])
    return found


def _records(pieces: Iterator[bytes], marker: bytes) -> Iterator[bytes]:
    """Split a stream of pieces at the marker; the NUL that ends each record goes with it."""
    rest, separator = b"\0", b"\0" + marker
    started = False
    for piece in pieces:
        *whole, rest = (rest + piece).split(separator)
        for record in whole:
            if started:
                yield record
            started = True
    if started:
        yield rest
