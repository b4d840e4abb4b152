"""A range of days, as people ask for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Range:
    """A range of days; None leaves a side open. `until` itself is outside."""

    since: date | None = None
    until: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it holds every day."""
        return self.since is None and self.until is None

    def holds(self, day: int) -> bool:
        """Whether a day since 1970 lies within."""
        return (self.since is None or day >= _number(self.since)) and (self.until is None or day < _number(self.until))


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)) // timedelta(days=1)
