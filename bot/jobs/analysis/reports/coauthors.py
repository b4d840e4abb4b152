"""Counts who is named in Co-authored-by trailers: a view of its own, since blame knows nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.report import CoAuthor
from bot.jobs.analysis.reports.series import Window
from bot.jobs.analysis.repositories.git import Git

_FORMAT = "%x01%at%x00%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x00)"


def count_co_authors(git: Git, window: Window) -> list[CoAuthor]:
    """Co-authors by number of commits, then name, through the mailmap. A commit counts each of them once."""
    commits: Counter[bytes] = Counter()
    for record in git.run("log", "--no-patch", f"--format={_FORMAT}", git.head, "--").split(b"\1")[1:]:
        time, *named = record.rstrip(b"\n").split(b"\0")
        if window.holds(int(time or 0)):
            commits.update({name.strip() for name in named if _is_contact(name.strip())})
    counts: Counter[Author] = Counter()
    for author, raw in zip(_mapped(git, commits), commits, strict=True):
        counts[author] += commits[raw]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [CoAuthor(author, count) for author, count in ranked]


def _is_contact(text: bytes) -> bool:
    """Whether git can read it as `Name <address>`."""
    name, opened, rest = text.partition(b"<")
    return bool(name.strip() and opened) and rest.endswith(b">") and rest.count(b">") == 1 and b"<" not in rest


def _mapped(git: Git, contacts: Iterable[bytes]) -> list[Author]:
    """Contacts through the mailmap, in order."""
    asked = b"".join(contact + b"\n" for contact in contacts)
    return [_author(line) for line in git.run("check-mailmap", "--stdin", feed=asked).splitlines()] if asked else []


def _author(contact: bytes) -> Author:
    name, _, email = contact.rpartition(b"<")
    return Author(readable(name).strip(), readable(email).removesuffix(">"))
