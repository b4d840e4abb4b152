"""Decides how often and how long GitHub is asked again, and remembers a limit that was reached."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of one call. Worst case: `tries` × `timeout_s` and the pauses between."""

    tries: int = 5
    timeout_s: float = 10.0
    """Of one request, from connecting to the last byte."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    longest_wait_s: float = 15.0
    """A rate limit that is free again within this is waited for; a longer one is the caller's to plan for."""

    def pause_s(self, tried: int) -> float:
        """The pause after the `tried`-th try: doubled each time, with half of it at random so that many spread out."""
        whole = min(self.longest_pause_s, self.first_pause_s * 2.0 ** (tried - 1))
        return whole / 2 + random.uniform(0, whole / 2)  # noqa: S311 (spreads load, guards nothing)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit that was reached: `primary` is the hourly quota, otherwise a secondary limit; free in `wait_s`."""

    primary: bool
    wait_s: float


class Quota:
    """The rate limits of one installation: once one is reached nothing is sent until it is free.

    Going on while limited can get an integration banned, says
    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
    """

    def __init__(self) -> None:
        self._primary = False
        self._free_at = 0.0

    def exhaust(self, limit: RateLimit) -> None:
        """Note that a limit was reached; of two the later end counts."""
        free_at = time.monotonic() + limit.wait_s
        if free_at > self._free_at:
            self._free_at, self._primary = free_at, limit.primary

    def reached(self) -> RateLimit | None:
        """The limit that still holds, else None."""
        wait_s = self._free_at - time.monotonic()
        return RateLimit(self._primary, wait_s) if wait_s > 0 else None
