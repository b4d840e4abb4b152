"""Decides how long to wait before a rollout is looked at again: few calls, and yet little time lost. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.ports.rollouts import Pace, RolloutSpec

SURELY = 0.92
"""The share of the time a leg took before, beyond what it bakes, in which it is not expected to be over."""
OF_WHOLE = 0.012
"""A wait that is so small a share of all that passed is no loss worth a call, where calls are few."""
OF_LATENESS = 0.15
"""The share of the time that a leg is late by, where it is known how long it took before."""
OF_UNKNOWN = 0.03
"""The same of the time it takes, where that is not known: a first rollout may ask three times as often."""
BAKING = frozenset({"BAKE_TIME", "PRODUCTION_TRAFFIC_SHIFT", "CLEAN_UP"})
"""Stages in which a platform lets time pass on purpose."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a rollout: from its beginning, or the answer of a pause, to the next pause, or to the end.

    `least_s`: it lasts so long at least. `took_s`: how long it took at the rollout before; 0 where there was none.
    `before_s`: how long the rollout's legs before it took. `began_s`: when it began (monotonic).
    """

    least_s: float
    took_s: float
    before_s: float
    began_s: float

    @property
    def surely_s(self) -> float:
        """Until then, counted from its beginning, it is not expected to be over."""
        return self.least_s + SURELY * max(0.0, self.took_s - self.least_s)


def next_wait_s(pace: Pace, leg: Leg, stage: str, now_s: float) -> float:
    """Seconds to wait after a look at `now_s` (monotonic) that showed this stage.

    While the leg is surely not over, it is looked at only now and then; from then on soon, and then ever less often.
    """
    spent_s = now_s - leg.began_s
    left_s = leg.surely_s - spent_s
    if left_s > pace.first_s:
        return min(left_s, pace.bake_s if stage in BAKING else pace.quiet_s)
    late_s = max(0.0, -left_s)
    known_s = max(OF_LATENESS * late_s, OF_WHOLE * (leg.before_s + spent_s))
    return min(max(pace.first_s, known_s if leg.took_s else OF_UNKNOWN * late_s), pace.longest_s)


def least_s(spec: RolloutSpec, green_percent: float) -> float:
    """How long a leg that begins with this share lasts at least; platforms count in whole minutes."""
    baking_s = spec.bake_s if green_percent >= 100 else spec.every_s if green_percent else 0
    return 60.0 * math.ceil(baking_s / 60)
