"""Says when people last committed to a branch, and who made the commits of a change."""

from __future__ import annotations

from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.coauthors import TRAILERS, contacts_of, map_contacts
from bot.jobs.analysis.repositories.git import Git

ACTIVE_S = 365 * 24 * 3600
"""Whoever has not committed for longer is not active any more."""


def committed_at(git: Git, commit: bytes) -> int:
    """A commit's own time, in seconds since 1970 UTC."""
    return int(git.run("log", "-1", "--no-patch", "--format=%ct", commit, "--"))


def last_commits(git: Git, tip: bytes, now: int) -> dict[Author, int]:
    """When the newest commit below `tip` of each author was made, of those active at `now`, by the author's time."""
    newest: dict[Author, int] = {}
    since = max(0, now - ACTIVE_S)
    listed = git.run("log", "--no-patch", "-z", f"--since=@{since} +0000", "--format=%at%n%aN%n%aE", tip, "--")
    for record in listed.split(b"\0")[:-1]:
        time, name, email = record.split(b"\n", 2)
        author, at = Author(readable(name), readable(email)), min(int(time or 0), now)
        if at >= since:
            newest[author] = max(newest.get(author, 0), at)
    return newest


def makers(git: Git, base: bytes, head: bytes) -> frozenset[Author]:
    """Authors and co-authors of the commits that `head` has and `base` has not, through the mailmap."""
    authors: set[Author] = set()
    contacts: set[bytes] = set()
    listed = git.run("log", "--no-patch", f"--format=%x01%aN%x00%aE%x00{TRAILERS}", head, b"^" + base, "--")
    for record in listed.split(b"\1")[1:]:
        name, email, *trailers = record.rstrip(b"\n").split(b"\0")
        authors.add(Author(readable(name), readable(email)))
        contacts |= contacts_of(trailers)
    return frozenset({*authors, *map_contacts(git, sorted(contacts))})
