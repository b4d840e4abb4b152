"""The history counted by day, small enough to keep: any range of dates and any author can be read from it later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.ranges import Range
from bot.jobs.analysis.reports.series import (
    DAY_S,
    Activity,
    LanguageOf,
    Series,
    TimelineRow,
    by_day,
    endings,
    month_start,
    week_start,
)

_T = TypeVar("_T")


class LanguageDay(NamedTuple):
    """What one author did in one language on one day (counted since 1970, UTC)."""

    day: int
    author: Author
    language: str
    commits: int
    added: int
    deleted: int


class CommitDay(NamedTuple):
    """How many commits an author made on one day, the first and the last of them in seconds since 1970."""

    day: int
    author: Author
    commits: int
    first: int
    last: int


class FileDay(NamedTuple):
    """How many files with one extension an author's commits of one day changed."""

    day: int
    author: Author
    extension: str
    files: int


@dataclass(frozen=True, slots=True)
class Days:
    """The history by day, each list in order of time."""

    languages: Sequence[LanguageDay]
    commits: Sequence[CommitDay]
    files: Sequence[FileDay]

    def series(self) -> Series:
        """What `count_series` tells of these days."""
        activity = _activity(self.commits)
        for row in self.languages:
            entry = activity[row.author]
            entry.added += row.added
            entry.deleted += row.deleted
        for changed in self.files:
            known = activity[changed.author].extensions
            known[changed.extension] = known.get(changed.extension, 0) + changed.files
        return Series(_by_period(self.languages, week_start), _by_period(self.languages, month_start), activity)

    def within(self, range_: Range) -> Days:
        """A range of them."""
        return Days(
            [row for row in self.languages if range_.holds(row.day)],
            [row for row in self.commits if range_.holds(row.day)],
            [row for row in self.files if range_.holds(row.day)],
        )

    def without_bots(self) -> Days:
        """What people did."""
        return Days(
            [row for row in self.languages if not row.author.is_bot],
            [row for row in self.commits if not row.author.is_bot],
            [row for row in self.files if not row.author.is_bot],
        )

    def to_json(self) -> dict[str, Any]:
        """Compact: each author, language and extension stands once, rows name it by number."""
        authors, words = _Numbers[Author](), _Numbers[str]()
        told: dict[str, Any] = {
            "languages": [(r.day, authors.of(r.author), words.of(r.language), *r[3:]) for r in self.languages],
            "commits": [(r.day, authors.of(r.author), *r[2:]) for r in self.commits],
            "files": [(r.day, authors.of(r.author), words.of(r.extension), r.files) for r in self.files],
        }
        return {**told, "authors": [list(author) for author in authors.known], "words": list(words.known)}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Days:
        """What `to_json` told."""
        authors, words = [Author(*author) for author in told["authors"]], told["words"]
        return cls(
            [LanguageDay(day, authors[who], words[what], *rest) for day, who, what, *rest in told["languages"]],
            [CommitDay(day, authors[who], *rest) for day, who, *rest in told["commits"]],
            [FileDay(day, authors[who], words[what], files) for day, who, what, files in told["files"]],
        )


def collect_days(
    history: History,
    changes: Changes,
    authors: Sequence[Author],
    language_of: LanguageOf,
    *,
    merges: bool,
) -> Days:
    """Count the whole history by day. `authors` are those of the identities; merges count only with `merges`."""
    languages = [language_of(path) for path in changes.paths]
    daily = by_day(history, changes, languages, [True] * len(history.time))
    sums: dict[tuple[int, Author, str], list[int]] = {}
    for (day, identity, language), tally in daily.items():
        counts = sums.setdefault((day, authors[identity], language), [0, 0, 0])
        for place, count in enumerate((tally.commits, tally.added, tally.deleted)):
            counts[place] += count
    return Days(
        [LanguageDay(*key, *counts) for key, counts in sorted(sums.items())],
        _commit_days(history, authors, merges=merges),
        _file_days(history, changes, authors, endings(changes, languages)),
    )


def _commit_days(history: History, authors: Sequence[Author], *, merges: bool) -> list[CommitDay]:
    found: dict[tuple[int, Author], list[int]] = {}
    for identity, time, merge in zip(history.author, history.time, history.merge, strict=True):
        if merge and not merges:
            continue
        entry = found.setdefault((time // DAY_S, authors[identity]), [0, time, time])
        entry[0] += 1
        entry[1], entry[2] = min(entry[1], time), max(entry[2], time)
    return [CommitDay(*key, *counts) for key, counts in sorted(found.items())]


def _file_days(
    history: History, changes: Changes, authors: Sequence[Author], ending_of: Sequence[str]
) -> list[FileDay]:
    days = [time // DAY_S for time in history.time]
    touched = Counter(
        (days[commit], authors[history.author[commit]], ending_of[path])
        for commit, path in zip(changes.commit, changes.path, strict=True)
    )
    return [FileDay(*key, files) for key, files in sorted(touched.items()) if key[2]]


def _activity(rows: Iterable[CommitDay]) -> dict[Author, Activity]:
    activity: dict[Author, Activity] = {}
    for row in rows:
        entry = activity.setdefault(row.author, Activity())
        entry.commits += row.commits
        entry.first = row.first if entry.first is None else min(entry.first, row.first)
        entry.last = row.last if entry.last is None else max(entry.last, row.last)
    return activity


def _by_period(rows: Sequence[LanguageDay], start_of: Callable[[int], date]) -> list[TimelineRow]:
    starts = {day: start_of(day) for day in {row.day for row in rows}}
    sums: dict[tuple[date, Author, str], list[int]] = {}
    for row in rows:
        counts = sums.setdefault((starts[row.day], row.author, row.language), [0, 0, 0])
        for place, count in enumerate((row.commits, row.added, row.deleted)):
            counts[place] += count
    return [TimelineRow(*key, *counts) for key, counts in sorted(sums.items())]


class _Numbers(Generic[_T]):
    """Gives each new thing the next number."""

    def __init__(self) -> None:
        self.known: dict[_T, int] = {}

    def of(self, thing: _T) -> int:
        return self.known.setdefault(thing, len(self.known))
