"""Lines alive by language over time, from what was added and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from bot.jobs.analysis.reports.series import TimelineRow


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


def months(rows: Sequence[TimelineRow]) -> list[date]:
    """Every month from the first to the last that something happened in."""
    if not rows:
        return []
    months, last = [rows[0].start], rows[-1].start
    while months[-1] < last:
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    return months


SHORT_MONTHS = 4
"""A history of fewer months is drawn by week."""


class Growth(NamedTuple):
    """Lines alive by language at the end of each period."""

    points: list[date]
    alive: dict[str, dict[date, int]]


def growth(week: Sequence[TimelineRow], month: Sequence[TimelineRow]) -> Growth:
    """By month, and by week where there are few months."""
    points = months(month)
    if len(points) >= SHORT_MONTHS:
        return Growth(points, lines_alive(points, month))
    points = weeks(week)
    return Growth(points, lines_alive(points, week))


def weeks(rows: Sequence[TimelineRow]) -> list[date]:
    """Every week from the first to the last that something happened in."""
    if not rows:
        return []
    count = (rows[-1].start - rows[0].start).days // 7 + 1
    return [rows[0].start + timedelta(days=7 * number) for number in range(count)]
