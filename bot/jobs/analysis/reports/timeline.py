"""What pictures over time are drawn from: lines alive by language, and commits by author."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.days import CommitDay
from bot.jobs.analysis.reports.series import TimelineRow, month_start, week_start


def lines_alive(points: Sequence[date], rows: Iterable[TimelineRow]) -> dict[str, dict[date, int]]:
    """Lines by language at the end of each period; never below nothing, as what merges delete is not in the series."""
    changes: dict[str, dict[date, int]] = {}
    for row in rows:
        language = changes.setdefault(row.language, {})
        language[row.start] = language.get(row.start, 0) + row.added - row.deleted
    return {
        name: dict(zip(points, _grow(known.get(point, 0) for point in points), strict=True))
        for name, known in changes.items()
    }


def _grow(changes: Iterable[int]) -> Iterable[int]:
    return (max(0, total) for total in accumulate(changes))


MOST_YEARS = 100
"""Where clocks went wrong and moments lie further apart, the periods alone count in which something happened."""


def months(starts: Sequence[date]) -> list[date]:
    """Every month from the first to the last of these, which come in order."""
    if not starts or _are_far_apart(starts):
        return list(dict.fromkeys(starts))
    months, last = [starts[0]], starts[-1]
    while months[-1] < last:
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    return months


def weeks(starts: Sequence[date]) -> list[date]:
    """Every week from the first to the last of these, which come in order."""
    if not starts or _are_far_apart(starts):
        return list(dict.fromkeys(starts))
    count = (starts[-1] - starts[0]).days // 7 + 1
    return [starts[0] + timedelta(days=7 * number) for number in range(count)]


def _are_far_apart(starts: Sequence[date]) -> bool:
    return starts[-1].year - starts[0].year > MOST_YEARS


SHORT_MONTHS = 4
"""A history of fewer months is drawn by week."""


class Growth(NamedTuple):
    """Lines alive by language at the end of each period."""

    points: list[date]
    alive: dict[str, dict[date, int]]


def growth(week: Sequence[TimelineRow], month: Sequence[TimelineRow]) -> Growth:
    """By month, and by week where there are few months."""
    points = months([row.start for row in month])
    if len(points) >= SHORT_MONTHS:
        return Growth(points, lines_alive(points, month))
    points = weeks([row.start for row in week])
    return Growth(points, lines_alive(points, week))


class Made(NamedTuple):
    """Commits by author in each period."""

    points: list[date]
    by_author: dict[Author, dict[date, int]]
    is_weekly: bool


def commits_made(days: Sequence[CommitDay]) -> Made:
    """By month, and by week where there are few months; `days` come in order."""
    points = months([month_start(row.day) for row in days])
    if len(points) >= SHORT_MONTHS:
        return Made(points, _by_author(days, month_start), is_weekly=False)
    return Made(weeks([week_start(row.day) for row in days]), _by_author(days, week_start), is_weekly=True)


def _by_author(days: Iterable[CommitDay], start_of: Callable[[int], date]) -> dict[Author, dict[date, int]]:
    made: dict[Author, dict[date, int]] = {}
    for row in days:
        periods, start = made.setdefault(row.author, {}), start_of(row.day)
        periods[start] = periods.get(start, 0) + row.commits
    return made
