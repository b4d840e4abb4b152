"""Puts a report together from who owns which line, what the history counted, and what the files are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bot.jobs.analysis.blame.onepass import Owners
from bot.jobs.analysis.people.identities import Author, readable
from bot.jobs.analysis.reports.report import AuthorReport, LanguageShare, Ownership
from bot.jobs.analysis.reports.series import Activity, TimelineRow, moment
from bot.jobs.analysis.reports.shares import share

FOLDER_DEPTH = 2
OWNERS_OF_A_FOLDER = 12

_Key = TypeVar("_Key")


@dataclass(slots=True)
class Tally:
    """Lines of the tree counted by author, language and folder."""

    lines: Counter[Author] = field(default_factory=Counter)
    files: Counter[Author] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    author_languages: dict[Author, Counter[str]] = field(default_factory=dict)
    folders: dict[str, Counter[Author]] = field(default_factory=dict)

    def add(self, path: bytes, language: str, owners: Mapping[Author, int]) -> None:
        """Count one file."""
        folder = self.folders.setdefault(folder_of(readable(path)), Counter())
        for author, lines in owners.items():
            self.lines[author] += lines
            self.files[author] += 1
            self.author_languages.setdefault(author, Counter())[language] += lines
            folder[author] += lines
        self.languages[language] += sum(owners.values())


def by_author(owners: Owners, author_of: Sequence[Author]) -> dict[Author, int]:
    """A file's lines by author, from its lines by commit; `author_of` is by commit number."""
    lines: dict[Author, int] = {}
    for commit, count in owners.items():
        author = author_of[commit]
        lines[author] = lines.get(author, 0) + count
    return lines


def author_reports(tally: Tally, activity: Mapping[Author, Activity]) -> list[AuthorReport]:
    """Everyone who owns a line or made a commit, by lines, then name."""
    total = tally.lines.total()
    everyone = dict.fromkeys([*tally.lines, *activity])
    reports = [_author_report(author, tally, activity.get(author, Activity()), total) for author in everyone]
    return sorted(reports, key=lambda report: (-report.lines, report.author))


def _author_report(author: Author, tally: Tally, activity: Activity, total: int) -> AuthorReport:
    lines = tally.lines[author]
    return AuthorReport(
        author=author,
        lines=lines,
        share=share(lines, total),
        files=tally.files[author],
        commits=activity.commits,
        added=activity.added,
        deleted=activity.deleted,
        first_commit=None if activity.first is None else moment(activity.first),
        last_commit=None if activity.last is None else moment(activity.last),
        languages=ranked(tally.author_languages.get(author, {})),
        extensions=ranked(activity.extensions),
    )


def language_shares(tally: Tally) -> list[LanguageShare]:
    """Languages by lines, then name."""
    total = tally.languages.total()
    return [LanguageShare(name, lines, share(lines, total)) for name, lines in ranked(tally.languages).items()]


def ownership(tally: Tally) -> list[Ownership]:
    """Folders by lines, then name; the files directly in the root stand under `.`."""
    rows = []
    for path, owners in tally.folders.items():
        lines = owners.total()
        if lines:
            author, most = min(owners.items(), key=lambda owner: (-owner[1], owner[0]))
            rows.append(Ownership(path, lines, author, share(most, lines), _first(owners, OWNERS_OF_A_FOLDER)))
    return sorted(rows, key=lambda row: (-row.lines, row.path))


def _first(owners: Counter[Author], count: int) -> dict[Author, int]:
    """Those with the most lines."""
    return dict(sorted(owners.items(), key=lambda owner: (-owner[1], owner[0]))[:count])


def folder_of(path: str) -> str:
    """The folder a file is counted under: its own, cut off below two levels."""
    return "/".join(path.split("/")[:-1][:FOLDER_DEPTH]) or "."


def ranked(counts: Mapping[_Key, int]) -> dict[_Key, int]:
    """Counts by size, the largest first, then by key."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


class AuthorFilter:
    """Whom a report shows: the authors asked for (everyone if none), without bots where asked."""

    def __init__(
        self, wanted: Iterable[str], *, without_bots: bool = False, logins: Mapping[str, str] | None = None
    ) -> None:
        """`logins` are by address in lower case."""
        self._wanted = {text.casefold().removeprefix("@") for text in wanted}
        self._without_bots = without_bots
        self._logins = logins or {}

    def shows(self, author: Author) -> bool:
        """Whether this author is shown."""
        if self._without_bots and author.is_bot:
            return False
        login = self._logins.get(author.email.lower()) or author.login
        names = {author.name, author.email, str(author), login or author.email}
        return not self._wanted or any(name.casefold() in self._wanted for name in names)

    def rows(self, rows: Sequence[TimelineRow]) -> list[TimelineRow]:
        """The rows of the authors shown."""
        if not self._wanted and not self._without_bots:
            return list(rows)
        return [row for row in rows if self.shows(row.author)]
