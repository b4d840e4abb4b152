"""Counts who is named in Co-authored-by trailers: a view of its own, since blame knows nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.report import CoAuthor
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.request import Window

TRAILERS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x00)"
"""Those a commit names besides its author, as a format of `git log`."""


def count_co_authors(git: Git, window: Window) -> list[CoAuthor]:
    """Co-authors by number of commits, then name, through the mailmap. A commit counts each of them once."""
    commits: Counter[bytes] = Counter()
    for record in git.run("log", "--no-patch", f"--format=%x01%at%x00{TRAILERS}", git.head, "--").split(b"\1")[1:]:
        time, *named = record.rstrip(b"\n").split(b"\0")
        if window.holds(int(time or 0)):
            commits.update(contacts_of(named))
    counts: Counter[Author] = Counter()
    for author, raw in zip(map_contacts(git, commits), commits, strict=True):
        counts[author] += commits[raw]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [CoAuthor(author, count) for author, count in ranked]


def contacts_of(trailers: Iterable[bytes]) -> set[bytes]:
    """The trailers of one commit that git can read as `Name <address>`, each once."""
    return {text for text in map(bytes.strip, trailers) if _is_contact(text)}


def map_contacts(git: Git, contacts: Iterable[bytes]) -> list[Author]:
    """Contacts, each `Name <address>`, through the mailmap, in order."""
    asked = b"".join(contact + b"\n" for contact in contacts)
    return [_author(line) for line in git.run("check-mailmap", "--stdin", feed=asked).splitlines()] if asked else []


def _is_contact(text: bytes) -> bool:
    name, opened, rest = text.partition(b"<")
    return bool(name.strip() and opened) and rest.endswith(b">") and rest.count(b">") == 1 and b"<" not in rest


def _author(contact: bytes) -> Author:
    name, _, email = contact.rpartition(b"<")
    return Author(readable(name).strip(), readable(email).removesuffix(">"))
