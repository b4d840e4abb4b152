"""Decides who is suggested as a reviewer of a change: people who own most of what it touches and are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.runs.reviewers import ChangeOwners

HALF_LIFE_S = 90 * 24 * 3600
"""Of a line counts half as much after so long without a commit of its owner's: what was known is forgotten."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A person, how many touched lines are theirs, and when they last committed; None: longer than a year ago."""

    author: Author
    lines: int
    last_commit: int | None


class People:
    """Tells of the authors round a change who is who; `logins` are those known at GitHub, by address in lower case.

    Addresses with one login, or with one name, are one person's.
    """

    def __init__(self, change: ChangeOwners, logins: Mapping[str, str]) -> None:
        self._logins = logins
        authors = [owner.author for owner in change.owners]
        self._named = {author.name.casefold(): login for author in authors if (login := self._own(author))}
        self._last: dict[str, int] = {}
        for author, moment in change.last_commits.items():
            person = self.key(author)
            self._last[person] = max(self._last.get(person, 0), moment)

    def login(self, author: Author) -> str | None:
        """What they are called at GitHub, as far as is known."""
        return self._own(author) or (self._named.get(author.name.casefold()) if author.name else None)

    def key(self, author: Author) -> str:
        """The same for all addresses of one person."""
        return (self.login(author) or author.name or author.email).casefold()

    def last_commit(self, author: Author) -> int | None:
        """When they last committed, whichever address they used; None where they are not active any more."""
        return self._last.get(self.key(author))

    def _own(self, author: Author) -> str | None:
        return self._logins.get(author.email.lower()) or author.login


def other_owners(change: ChangeOwners, people: People, by: str) -> list[Suggestion]:
    """The people who own touched lines and did not make the change, most lines first; bots are none.

    It was made by `by`, the login of who opened it, and by the authors and co-authors of its commits.
    """
    made = {by.casefold(), *map(people.key, change.makers)}
    found: dict[str, Suggestion] = {}
    for owner in change.owners:
        person = people.key(owner.author)
        if owner.author.is_bot or person in made:
            continue
        known = found.get(person, Suggestion(owner.author, 0, people.last_commit(owner.author)))
        found[person] = Suggestion(known.author, known.lines + owner.lines, known.last_commit)
    return sorted(found.values(), key=lambda one: (-one.lines, one.author))


def suggest(change: ChangeOwners, others: Sequence[Suggestion], count: int) -> list[Suggestion]:
    """At most `count` of the other owners, best first: each line counts less the longer its owner did not commit.

    Who has not committed for a year is suggested only where nobody else has, whoever they are.
    """
    is_quiet = all(author.is_bot for author in change.last_commits)
    there = [one for one in others if is_quiet or one.last_commit is not None]
    return sorted(there, key=lambda one: -_weight(one, change.made_at))[:count]


def _weight(one: Suggestion, now: int) -> float:
    """Lines, halved for each half-life since the last commit."""
    away_s = max(0, now - one.last_commit) if one.last_commit is not None else 0
    return float(one.lines * 0.5 ** (away_s / HALF_LIFE_S))
