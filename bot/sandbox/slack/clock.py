"""The simulation's time: the real one, plus what a test has let pass at once."""

import time


class Clock:
    """Seconds since the epoch for everything that expires; `advance` lets time pass without waiting for it."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds
