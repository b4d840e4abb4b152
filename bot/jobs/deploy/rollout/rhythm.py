"""Decides how long to wait before a rollout is looked at again: few calls, and yet little time lost. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.ports import Pace, RolloutSpec

GROWTH = 1.4
SURELY = 0.95
"""The share of the time a leg took before, in which it is not expected to be over."""
BAKING = frozenset({"BAKE_TIME", "PRODUCTION_TRAFFIC_SHIFT", "CLEAN_UP"})
"""Stages in which a platform lets time pass on purpose."""


@dataclass(slots=True)
class Rhythm:
    """The looks of one leg of a rollout: from the answer of one pause to the next pause, or to the end.

    `expected_s`: how long this leg took at the deployment before, if there was one. Until then it is looked at only now
    and then; after that, and where nothing is known, soon first and then ever less often.
    """

    pace: Pace
    expected_s: float
    began_s: float
    _wait_s: float = 0.0

    def next_wait_s(self, stage: str, now_s: float) -> float:
        """Seconds to wait after a look at `now_s` (monotonic) that showed this stage."""
        left_s = SURELY * self.expected_s - (now_s - self.began_s)
        if left_s > self.pace.first_s:
            return min(left_s, self.pace.bake_s if stage in BAKING else self.pace.quiet_s)
        grown_s = self._wait_s * GROWTH if self._wait_s else self.pace.first_s
        self._wait_s = min(grown_s, self.pace.longest_s)
        return self._wait_s


def least_s(spec: RolloutSpec, green_percent: float) -> float:
    """How long a leg that begins with this share lasts at least; platforms count in whole minutes."""
    baking_s = spec.bake_s if green_percent >= 100 else spec.every_s if green_percent else 0
    return 60.0 * math.ceil(baking_s / 60)
