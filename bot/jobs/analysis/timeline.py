"""Lines alive by language over time, from what was added and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate

from bot.jobs.analysis.series import TimelineRow


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
