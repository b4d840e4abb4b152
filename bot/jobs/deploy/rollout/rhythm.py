"""Decides how long to wait before a rollout is looked at again: few calls, and yet little time lost. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.ports import Pace, RolloutSpec

GROWTH = 1.4
BAKE_TIME, SHIFTING = "BAKE_TIME", "PRODUCTION_TRAFFIC_SHIFT"


@dataclass(slots=True)
class Rhythm:
    """Short after a change, longer the longer nothing changes; while a version bakes, until that is about to end.

    `holds`: stage → seconds it lasts on purpose.
    """

    pace: Pace
    holds: Mapping[str, float] = field(default_factory=dict)
    _stage: tuple[str, float] = ("", -1.0)
    _since_s: float = 0.0
    _wait_s: float = 0.0

    def next_wait_s(self, stage: str, green_percent: float, now_s: float) -> float:
        """Seconds to wait after a look at `now_s` (monotonic) that showed this."""
        if (stage, green_percent) != self._stage:
            self._stage, self._since_s, self._wait_s = (stage, green_percent), now_s, self.pace.first_s
        else:
            self._wait_s = min(self._wait_s * GROWTH, self.pace.longest_s)
        left_s = self.holds.get(stage, 0.0) - (now_s - self._since_s)
        return min(left_s, self.pace.bake_s) if left_s > self._wait_s else self._wait_s


def rhythm_of(spec: RolloutSpec, pace: Pace) -> Rhythm:
    """Platforms count in whole minutes."""
    return Rhythm(pace, {BAKE_TIME: 60.0 * math.ceil(spec.bake_s / 60), SHIFTING: 60.0 * math.ceil(spec.every_s / 60)})
