"""Measures what each target answers: counts and latencies, over the last minute and since any named moment."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass
from itertools import accumulate

# Latencies fall into buckets 2 % wide from 20 µs to about ten minutes, so a percentile is off by 1 % at most.
FLOOR_S = 20e-6
GROWTH = 1.02
BUCKETS = 870
_LOG_GROWTH = math.log(GROWTH)

WINDOW_S = 60.0
TICK_S = 5.0


@dataclass(frozen=True)
class Reading:
    """What was measured between two moments. Latency is from claim to response head, of answered requests only.

    `requests` reached the target; of them `errors_5xx` were answered with a server error and `broken` got no whole
    answer. `connect_failures` never reached it. Percentiles are None where nothing was answered.
    """

    seconds: float
    requests: int
    errors_5xx: int
    broken: int
    connect_failures: int
    p50_ms: float | None
    p95_ms: float | None

    @property
    def error_rate(self) -> float | None:
        """The share of failed tries, 0 to 1; None where nothing was tried."""
        tried = self.requests + self.connect_failures
        return (self.errors_5xx + self.broken + self.connect_failures) / tried if tried else None


@dataclass(frozen=True)
class Snapshot:
    """Totals at one moment (`at`: monotonic seconds); the difference of two is a reading."""

    at: float
    requests: int = 0
    errors_5xx: int = 0
    broken: int = 0
    connect_failures: int = 0
    buckets: array[int] | None = None


class Meter:
    """One target's running totals."""

    def __init__(self, now: float) -> None:
        self._requests = self._errors_5xx = self._broken = self._connect_failures = 0
        self._buckets = array("Q", bytes(8 * BUCKETS))
        self._born = Snapshot(now)
        self._ticks: deque[Snapshot] = deque([self._born], maxlen=int(WINDOW_S / TICK_S) + 1)

    def answered(self, latency_s: float, status: int) -> None:
        """Count a request whose response head came after `latency_s`."""
        self._requests += 1
        self._errors_5xx += status >= 500
        self._buckets[_bucket(latency_s)] += 1

    def unanswered(self) -> None:
        """Count a request that reached the target and got no response."""
        self._requests += 1
        self._broken += 1

    def cut_short(self) -> None:
        """Count as broken a request that was answered already, and whose response then ended early."""
        self._broken += 1

    def unreachable(self) -> None:
        """Count a connection that failed."""
        self._connect_failures += 1

    def tick(self, now: float) -> None:
        """Remember this moment for the sliding window; called every TICK_S."""
        self._ticks.append(self.snapshot(now))

    def snapshot(self, now: float) -> Snapshot:
        """The totals now."""
        return Snapshot(now, self._requests, self._errors_5xx, self._broken, self._connect_failures, self._buckets[:])

    def window(self, now: float) -> Reading:
        """What was measured over the last minute (to one tick)."""
        return self.since(self._ticks[0], now)

    def since(self, before: Snapshot | None, now: float) -> Reading:
        """What was measured since that snapshot; None means since the target came."""
        start = before or self._born
        counts = self._buckets
        if start.buckets is not None:
            counts = array("Q", (new - old for new, old in zip(self._buckets, start.buckets, strict=True)))
        return Reading(
            seconds=round(now - start.at, 3),
            requests=self._requests - start.requests,
            errors_5xx=self._errors_5xx - start.errors_5xx,
            broken=self._broken - start.broken,
            connect_failures=self._connect_failures - start.connect_failures,
            p50_ms=_percentile_ms(counts, 0.50),
            p95_ms=_percentile_ms(counts, 0.95),
        )


def _bucket(latency_s: float) -> int:
    if latency_s <= FLOOR_S:
        return 0
    return min(BUCKETS - 1, int(math.log(latency_s / FLOOR_S) / _LOG_GROWTH))


def _percentile_ms(counts: array[int], share: float) -> float | None:
    total = sum(counts)
    if not total:
        return None
    wanted = math.ceil(total * share)
    index = next(index for index, seen in enumerate(accumulate(counts)) if seen >= wanted)
    middle_s: float = FLOOR_S * GROWTH ** (index + 0.5)
    return round(middle_s * 1000, 3)
