"""Counts who changed what and when: per week and month, by author and language, and per author in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import compress
from typing import NamedTuple, TypeAlias

from bot.jobs.analysis.blame.history import Changes, History
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.request import Window

DAY_S = 86_400
_EPOCH_WEEKDAY = 3  # the first of January 1970 was a Thursday; weeks begin on Monday


LanguageOf: TypeAlias = Callable[[bytes], str | None]
"""The language of a path; None for one that is left out."""


class TimelineRow(NamedTuple):
    """What one author did in one language in one week or month, which began on `start`."""

    start: date
    author: Author
    language: str
    commits: int
    added: int
    deleted: int


@dataclass(slots=True)
class Activity:
    """What one author's commits did: counts, first and last time, changed files by extension."""

    commits: int = 0
    added: int = 0
    deleted: int = 0
    first: int | None = None
    last: int | None = None
    extensions: dict[str, int] = field(default_factory=dict)

    def saw(self, time: int) -> None:
        """Count a commit made at `time`."""
        self.commits += 1
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)


@dataclass(frozen=True, slots=True)
class Series:
    """The history counted: `week` and `month` in order of time, `activity` by author."""

    week: list[TimelineRow]
    month: list[TimelineRow]
    activity: dict[Author, Activity]


def count_series(
    history: History,
    changes: Changes,
    authors: Sequence[Author],
    language_of: LanguageOf,
    window: Window,
    *,
    merges: bool,
) -> Series:
    """Count all changes within the window. `authors` are those of the identities; merges count only with `merges`."""
    activity: dict[Author, Activity] = {}
    inside = [window.holds(time) for time in history.time]
    for identity, time, merge, held in zip(history.author, history.time, history.merge, inside, strict=True):
        if held and (merges or not merge):
            author = authors[identity]
            if author not in activity:
                activity[author] = Activity()
            activity[author].saw(time)
    languages = [language_of(path) for path in changes.paths]
    daily = by_day(history, changes, languages, inside)
    _add_lines(activity, daily, authors)
    _add_extensions(activity, history, changes, authors, inside, endings(changes, languages))
    return Series(_rows(daily, authors, week_start), _rows(daily, authors, month_start), activity)


class Tally:
    """Commits (each once), added and deleted lines."""

    __slots__ = ("added", "commits", "deleted", "last_commit")

    def __init__(self) -> None:
        self.commits = self.added = self.deleted = 0
        self.last_commit = -1


Daily = dict[tuple[int, int, str], Tally]
"""Tallies by day since 1970, identity and language."""


def by_day(history: History, changes: Changes, languages: Sequence[str | None], inside: Sequence[bool]) -> Daily:
    """Count the changes of the commits inside; `languages` are by path, None for those left out."""
    daily: Daily = {}
    days = [time // DAY_S for time in history.time]
    columns = zip(changes.commit, changes.path, changes.added, changes.deleted, strict=True)
    for commit, path, added, deleted in columns:
        language = languages[path]
        if not inside[commit] or language is None:
            continue
        key = (days[commit], history.author[commit], language)
        tally = daily.get(key)
        if tally is None:
            tally = daily[key] = Tally()
        if tally.last_commit != commit:  # a commit's changes stand together
            tally.last_commit = commit
            tally.commits += 1
        tally.added += added
        tally.deleted += deleted
    return daily


def _add_lines(activity: dict[Author, Activity], daily: Daily, authors: Sequence[Author]) -> None:
    for (_, identity, _), tally in daily.items():
        entry = activity[authors[identity]]
        entry.added += tally.added
        entry.deleted += tally.deleted


def _add_extensions(
    activity: dict[Author, Activity],
    history: History,
    changes: Changes,
    authors: Sequence[Author],
    inside: Sequence[bool],
    ending_of: Sequence[str],
) -> None:
    """Count changed files by extension; `ending_of` goes by path."""
    of_changes = compress(zip(changes.commit, changes.path, strict=True), map(inside.__getitem__, changes.commit))
    touched = Counter((history.author[commit], ending_of[path]) for commit, path in of_changes)
    for (identity, ending), times in touched.items():
        if ending:
            known = activity[authors[identity]].extensions
            known[ending] = known.get(ending, 0) + times


def endings(changes: Changes, languages: Sequence[str | None]) -> list[str]:
    """By path the extension that is counted: '' for a path without one, and for one that is left out."""
    return [
        "" if language is None else extension(path) for path, language in zip(changes.paths, languages, strict=True)
    ]


def extension(path: bytes) -> str:
    """What follows the last dot of a file's name, with the dot and in lower case; '' for a name without."""
    name = path.rpartition(b"/")[2].lstrip(b".")
    _, dot, ending = name.rpartition(b".")
    return ("." + ending.decode("utf-8", "replace")).lower() if dot and ending else ""


def _rows(daily: Daily, authors: Sequence[Author], start_of: Callable[[int], date]) -> list[TimelineRow]:
    """Days joined to periods and identities to authors; both go by number, which is quick to look up and to sort."""
    starts = {day: start_of(day).toordinal() for day in {day for day, _, _ in daily}}
    ranked = sorted(set(authors))
    rank = {author: place for place, author in enumerate(ranked)}
    ranks = [rank[author] for author in authors]
    sums: dict[tuple[int, int, str], list[int]] = {}
    for (day, identity, language), tally in daily.items():
        counts = sums.setdefault((starts[day], ranks[identity], language), [0, 0, 0])
        counts[0] += tally.commits
        counts[1] += tally.added
        counts[2] += tally.deleted
    return [
        TimelineRow(date.fromordinal(start), ranked[place], language, *counts)
        for (start, place, language), counts in sorted(sums.items())
    ]


def week_start(day: int) -> date:
    """The Monday of a day since 1970."""
    return _date(day - (day + _EPOCH_WEEKDAY) % 7)


def month_start(day: int) -> date:
    """The first of the month of a day since 1970."""
    return _date(day).replace(day=1)


def year_of(day: int) -> int:
    """The year of a day since 1970."""
    return _date(day).year


def _date(day: int) -> date:
    """A day since 1970 as a date; days no calendar holds, as broken commits have them, become the first or last."""
    try:
        return date(1970, 1, 1) + timedelta(days=day)
    except OverflowError:
        return date.max if day > 0 else date.min


def moment(time: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"@{time}"
