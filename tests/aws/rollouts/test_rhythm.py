"""A rollout is looked at often where its next step may come, and seldom where it surely does not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest

from bot.jobs.deploy.rollout.rhythm import Leg, least_s, next_wait_s
from bot.ports.rollouts import Pace, RolloutSpec

PACE = Pace()
SPEC = RolloutSpec("s", "acme/api", "production", "dep_abcdefghij", "image", 80, "/")
CALLS_OF_AN_UPDATE, CALLS_OF_A_FIRST = 16, 21
"""Those that register, begin, answer and measure; the others look."""


@dataclass(frozen=True)
class Part:
    """A leg that lasts so long, of which it bakes some, in this stage."""

    lasts_s: float
    stage: str = "SCALE_UP"
    bakes_s: float = 0.0


UPDATE = (Part(121), Part(41, "POST_PRODUCTION_TRAFFIC_SHIFT"), Part(361, "BAKE_TIME", 360))
"""Of nine minutes."""
FIRST = (Part(150), Part(5, "POST_PRODUCTION_TRAFFIC_SHIFT"), Part(330, "BAKE_TIME", 300))


def looks(part: Part, took_s: float = 0.0, before_s: float = 0.0) -> list[float]:
    """When it is looked at, from its beginning to the look that finds it over."""
    leg, now, seen = Leg(part.bakes_s, took_s, before_s, 0.0), 0.0, [0.0]
    while now < part.lasts_s:
        now += next_wait_s(PACE, leg, part.stage, now)
        seen.append(now)
    return seen


def rollout(parts: tuple[Part, ...], took: float = 0.0) -> tuple[int, float]:
    """How many looks it takes, and the share of its time that is lost; what is no baking took `took` times as long."""
    count, lost_s, before_s = 0, 0.0, 0.0
    for part in parts:
        took_s = part.bakes_s + took * (part.lasts_s - part.bakes_s) if took else 0.0
        seen = looks(part, took_s, before_s)
        count += len(seen)
        lost_s += seen[-1] - part.lasts_s
        before_s += seen[-1]
    return count, lost_s / before_s


def test_where_nothing_is_known_the_waits_grow_slowly_to_the_longest() -> None:
    seen = looks(Part(600))
    waits = [round(after - before, 3) for before, after in itertools.pairwise(seen)]
    assert waits[0] == PACE.first_s
    assert waits == sorted(waits)
    assert max(waits) == PACE.longest_s


@pytest.mark.parametrize("took", [0.95, 1.0, 1.05])
def test_an_update_of_nine_minutes_takes_forty_calls_and_two_percent_longer(took: float) -> None:
    count, lost = rollout(UPDATE, took)
    assert CALLS_OF_AN_UPDATE + count <= 40
    assert lost < 0.02


@pytest.mark.parametrize("took", [0.5, 0.8, 1.2])
def test_one_that_takes_another_time_than_before_is_not_lost_sight_of(took: float) -> None:
    count, lost = rollout(UPDATE, took)
    assert CALLS_OF_AN_UPDATE + count <= 60
    assert lost < 0.06


def test_a_first_rollout_takes_a_hundred_and_twenty_calls_and_little_longer() -> None:
    count, lost = rollout(FIRST)
    assert CALLS_OF_A_FIRST + count <= 120
    assert lost < 0.025


def test_what_took_two_minutes_before_is_looked_at_four_times_until_it_is_due() -> None:
    assert len([at for at in looks(Part(121), 120) if at < 110]) == 3


def test_what_takes_longer_than_before_is_looked_at_all_the_more() -> None:
    assert len([at for at in looks(Part(100), 20) if at > 20]) > 8


def test_a_leg_lasts_at_least_what_it_bakes_in_whole_minutes() -> None:
    spec = replace(SPEC, bake_s=61, every_s=30)
    assert [least_s(spec, percent) for percent in (0, 10, 100)] == [0, 60, 120]
