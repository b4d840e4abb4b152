"""Counts who is named in Co-authored-by trailers: a view of its own, since blame knows nothing of it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.jobs.analysis.blame.history import History
from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.report import CoAuthor
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.request import Window

TRAILERS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x00)"
"""Those a commit names besides its author, as a format of `git log`."""


class CoAuthorBook:
    """Who is named besides the authors of commits, as far as git was asked; one mailmap's answers are kept with it."""

    def __init__(self) -> None:
        self._asked = 0
        self._named: dict[int, set[bytes]] = {}
        self._mailmap: bytes | None = None
        self._authors: dict[bytes, Author] = {}

    def count(self, git: Git, history: History, mailmap: bytes | None, window: Window) -> list[CoAuthor]:
        """Co-authors by number of commits, then name; a commit counts each of them once.

        They are those of the mailmap of the commit at hand, whose blob is `mailmap`.
        """
        self._ask(git, history)
        self._map(git, mailmap)
        counts: Counter[Author] = Counter()
        for number, contacts in self._named.items():
            if window.holds(history.time[number]):
                counts.update({self._authors[contact] for contact in contacts})
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [CoAuthor(author, count) for author, count in ranked]

    def _ask(self, git: Git, history: History) -> None:
        """Read the trailers of commits that are new in the history."""
        new = history.oids[self._asked :]
        for oid, contacts in _trailers(git, new) if new else ():
            self._named[history.number(oid)] = contacts
        self._asked = len(history.oids)

    def _map(self, git: Git, mailmap: bytes | None) -> None:
        """Let git map the contacts it was not asked about."""
        if mailmap != self._mailmap:
            self._mailmap, self._authors = mailmap, {}
        new = sorted(set().union(*self._named.values()) - self._authors.keys())
        self._authors.update(zip(new, map_contacts(git, new), strict=True))


def _trailers(git: Git, commits: Sequence[bytes]) -> Iterator[tuple[bytes, set[bytes]]]:
    """The contacts each of these commits names, of those that name any."""
    marker, asked = secrets.token_hex(8), b"".join(oid + b"\n" for oid in commits)
    shown = ("--no-walk=unsorted", "--stdin", "--no-patch", f"--format={marker}%H%x00{TRAILERS}")
    for record in git.run("log", *shown, feed=asked).split(marker.encode())[1:]:
        oid, *named = record.rstrip(b"\n").split(b"\0")
        contacts = contacts_of(named)
        if contacts:
            yield oid, contacts


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
