"""The four figures of software delivery (DORA), by what was deployed to one environment within a window. Pure.

Source of the names: https://dora.dev/guides/dora-metrics-four-keys/. What each counts here:

- **frequency**: deployments that went live, a week. Rollbacks and rehearsals are none.
- **lead time**: from the commit's date to the moment it was first live, the median. Of commits whose date is known.
- **failure rate**: of all deployments that took traffic, those that had to give it back: by themselves, or since
  somebody rolled back. One that failed before it took traffic hurt nobody, and counts neither way.
- **time to restore**: from the moment such a deployment took traffic until something good had it again, the median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

WINDOW = timedelta(days=28)
WEEK = timedelta(days=7)
LEAST = 3
"""Of fewer there is no figure, only the count."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A deployment that took traffic at `live_at`."""

    sha: str
    live_at: datetime
    lost_at: datetime | None = None
    """When it had given it all back; None: it was good."""
    completed: bool = True
    """False where it gave the traffic back by itself, before it was done."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: how many it was made of, and its value; None: there were too few."""

    count: int
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The four of one environment. Times in seconds, the rate in percent, the frequency a week."""

    environment: str
    frequency: Measure
    lead_s: Measure
    failure_percent: Measure
    restore_s: Measure
    weekly: tuple[int, ...]
    """How many went live in each week of the window, oldest first."""


def figures(
    environment: str, shipments: Sequence[Shipment], committed: Mapping[str, datetime], now: datetime
) -> Figures:
    """Of those that went live within the window before `now`. `committed` is when each commit was made."""
    within = [one for one in shipments if now - WINDOW < one.live_at <= now]
    good = [one for one in within if one.completed]
    weeks = WINDOW / WEEK
    return Figures(
        environment,
        Measure(len(good), len(good) / weeks if len(good) >= LEAST else None),
        _median(_lead_times(good, committed)),
        _rate(within),
        _median([(one.lost_at - one.live_at).total_seconds() for one in within if one.lost_at], least=1),
        _weekly(good, now),
    )


def _lead_times(shipments: Sequence[Shipment], committed: Mapping[str, datetime]) -> list[float]:
    """Seconds from each commit to when it was first live."""
    first: dict[str, datetime] = {}
    for one in sorted(shipments, key=lambda shipment: shipment.live_at):
        first.setdefault(one.sha, one.live_at)
    return [(at - committed[sha]).total_seconds() for sha, at in first.items() if sha in committed]


def _rate(shipments: Sequence[Shipment]) -> Measure:
    lost = sum(one.lost_at is not None for one in shipments)
    return Measure(len(shipments), 100 * lost / len(shipments) if len(shipments) >= LEAST else None)


def _median(values: Sequence[float], least: int = LEAST) -> Measure:
    return Measure(len(values), max(0.0, median(values)) if len(values) >= least else None)


def _weekly(shipments: Sequence[Shipment], now: datetime) -> tuple[int, ...]:
    weeks = round(WINDOW / WEEK)
    ages = [int((now - one.live_at) / WEEK) for one in shipments]
    return tuple(ages.count(age) for age in reversed(range(weeks)))
