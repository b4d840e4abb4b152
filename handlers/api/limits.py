"""Decides who has asked too often: a leaking bucket for each key and each address."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`requests` at once, and as many again over `per_s` seconds, evenly."""

    requests: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one question to a bucket came to. Times are seconds from now, rounded up."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    """Until the bucket is empty again and all of `limit` may be asked at once."""
    retry_after_s: int
    """Until the next one is allowed; 0 when this one was."""

    @property
    def headers(self) -> dict[str, str]:
        """`RateLimit-*` with seconds from now, and `X-RateLimit-*` as GitHub has them, with a time in epoch seconds.

        https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-07.html
        """
        told = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.reset_s}
        as_github = {**told, "Reset": math.ceil(time.time()) + self.reset_s}
        return {
            **{f"RateLimit-{name}": str(value) for name, value in told.items()},
            **{f"X-RateLimit-{name}": str(value) for name, value in as_github.items()},
        }


class Buckets:
    """One bucket a name; full ones refuse. Forgets the longest idle when there are too many names."""

    def __init__(self, rate: Rate, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock_s = clock_s
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> Allowance:
        """Count one request. This is the generic cell rate algorithm: one number a name says how full it is."""
        now, each_s = self._clock_s(), self._rate.per_s / self._rate.requests
        filled_s = max(0.0, self._empty_at.get(name, 0.0) - now)
        allowed = filled_s + each_s <= self._rate.per_s + each_s * 1e-6
        if allowed:
            filled_s += each_s
            self._remember(name, now + filled_s)
        left_s = self._rate.per_s - filled_s
        wait_s = 0.0 if allowed else each_s - left_s
        return Allowance(
            allowed,
            self._rate.requests,
            max(0, math.floor(left_s / each_s + 1e-6)),
            math.ceil(filled_s),
            math.ceil(wait_s),
        )

    def _remember(self, name: str, empty_at: float) -> None:
        self._empty_at[name] = empty_at
        self._empty_at.move_to_end(name)
        while len(self._empty_at) > MOST_REMEMBERED:
            self._empty_at.popitem(last=False)
