"""Decides which authors are one person: those of one address, of one login at GitHub, or of one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.jobs.analysis.people.identities import Author

_NOBODY = ["nobody"]


def persons(authors: Iterable[Author], logins: Mapping[str, str] | None = None) -> list[list[Author]]:
    """The authors of each person, both in the order given; `logins` are those known, by address in lower case.

    Whoever shares something with two people makes one of them.
    """
    everyone = {author: _marks(author, logins or {}) for author in authors}
    joined: dict[str, str] = {}

    def root(mark: str) -> str:
        while joined.setdefault(mark, mark) != mark:
            joined[mark] = joined[joined[mark]]  # a name of thousands of addresses makes no long way
            mark = joined[mark]
        return mark

    for marks in everyone.values():
        for mark in marks:
            joined[root(mark)] = root(marks[0])
    found: dict[str, list[Author]] = {}
    for author, marks in everyone.items():
        found.setdefault(root(marks[0]), []).append(author)
    return list(found.values())


def _marks(author: Author, logins: Mapping[str, str]) -> list[str]:
    """What somebody is known by, in any case; what is empty tells nothing."""
    login = logins.get(author.email.lower()) or author.login
    told = {"address": author.email, "login": login, "name": author.name}
    return [f"{kind} {value.casefold()}" for kind, value in told.items() if value] or _NOBODY
