"""Adds up the reports of several repositories: who owns and did what across all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.people.persons import persons
from bot.jobs.analysis.reports.assembly import ranked
from bot.jobs.analysis.reports.report import AuthorReport, LanguageShare, Report
from bot.jobs.analysis.reports.shares import share


@dataclass(frozen=True, slots=True)
class Person:
    """One author across repositories, whose lines `repositories` tells by repository."""

    author: Author
    lines: int
    share: float
    commits: int
    added: int
    deleted: int
    languages: dict[str, int]
    repositories: dict[str, int]
    login: str | None = None
    """At GitHub, as far as it is known."""

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {
            "name": self.author.name,
            "email": self.author.email,
            "lines": self.lines,
            "share": self.share,
            "commits": self.commits,
            "added": self.added,
            "deleted": self.deleted,
            "languages": self.languages,
            "repositories": self.repositories,
        }


class Skipped(NamedTuple):
    """A repository that could not be analysed: the code of what went wrong, and a sentence that says it."""

    repository: str
    code: str
    why: str

    def to_json(self) -> dict[str, str]:
        """As published."""
        return {"repository": self.repository, "errorCode": self.code, "why": self.why}


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Several repositories together; people come by lines, then name. The skipped ones count nowhere."""

    repositories: tuple[str, ...]
    files: int
    lines: int
    people: tuple[Person, ...]
    languages: dict[str, int]
    skipped: tuple[Skipped, ...] = ()

    @property
    def language_shares(self) -> list[LanguageShare]:
        """The languages with their shares of all lines."""
        return [LanguageShare(name, lines, share(lines, self.lines)) for name, lines in self.languages.items()]

    @property
    def repository_lines(self) -> dict[str, int]:
        """The lines of these people in each repository, the most first; none of one in which they have none."""
        lines = Counter(dict.fromkeys(self.repositories, 0))
        for person in self.people:
            lines.update(person.repositories)
        return ranked(lines)

    def to_json(self) -> dict[str, Any]:
        """As published."""
        return {
            "repositories": list(self.repositories),
            "files": self.files,
            "lines": self.lines,
            "authors": [person.to_json() for person in self.people],
            "languages": self.languages,
            "skipped": [one.to_json() for one in self.skipped],
        }


def add_up(reports: Sequence[Report], skipped: Sequence[Skipped] = ()) -> Portfolio:
    """The summary across repositories: each person once, called as where they have the most lines.

    One address, one login or one name is one person.
    """
    entries: dict[Author, list[tuple[str, AuthorReport]]] = {}
    languages: Counter[str] = Counter()
    for report in reports:
        languages.update({language.name: language.lines for language in report.languages})
        for entry in report.authors:
            entries.setdefault(entry.author, []).append((report.repository, entry))
    total = sum(report.lines for report in reports)
    logins = {address: login for report in reports for address, login in report.logins.items()}
    people = [
        _person([one for author in same for one in entries[author]], total, _login(same, logins))
        for same in persons(entries, logins)
    ]
    return Portfolio(
        repositories=tuple(report.repository for report in reports),
        files=sum(report.files for report in reports),
        lines=total,
        people=tuple(sorted(people, key=lambda person: (-person.lines, person.author))),
        languages=ranked(languages),
        skipped=tuple(skipped),
    )


def _login(same: Sequence[Author], logins: Mapping[str, str]) -> str | None:
    """The first login that is known of a person's addresses."""
    known = (logins.get(author.email.lower()) or author.login for author in same)
    return next((login for login in known if login), None)


def _person(found: Sequence[tuple[str, AuthorReport]], total: int, login: str | None) -> Person:
    languages: Counter[str] = Counter()
    repositories: Counter[str] = Counter()
    for repository, entry in found:
        languages.update(entry.languages)
        repositories[repository] += entry.lines
    lines = repositories.total()
    return Person(
        author=max((entry for _, entry in found), key=lambda entry: entry.lines).author,
        lines=lines,
        share=share(lines, total),
        commits=sum(entry.commits for _, entry in found),
        added=sum(entry.added for _, entry in found),
        deleted=sum(entry.deleted for _, entry in found),
        languages=ranked(languages),
        repositories=ranked(repositories),
        login=login,
    )
