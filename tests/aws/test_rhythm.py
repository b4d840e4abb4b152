"""A rollout is looked at often where its next step may come, and seldom where it surely does not."""

from __future__ import annotations

from dataclasses import replace

from bot.jobs.deploy.rollout.rhythm import Rhythm, least_s
from bot.ports import Pace, RolloutSpec

PACE = Pace(first_s=2, longest_s=10, quiet_s=30, bake_s=60)
SPEC = RolloutSpec("s", "acme/api", "production", "dep_abcdefghij", "image", 80, "/")


def looks(stage: str, lasts_s: float, expected_s: float = 0.0) -> list[float]:
    """When it is looked at, in a leg that lasts so long."""
    rhythm, now, seen = Rhythm(PACE, expected_s, 0.0), 0.0, list[float]()
    while now < lasts_s:
        now += rhythm.next_wait_s(stage, now)
        seen.append(now)
    return seen


def test_where_nothing_is_known_the_waits_grow_to_the_longest() -> None:
    seen = looks("SCALE_UP", 60)
    waits = [after - before for before, after in zip([0.0, *seen], seen, strict=False)]
    assert waits[0] == 2
    assert waits == sorted(waits)
    assert max(waits) == 10


def test_what_took_two_minutes_before_takes_few_looks_and_little_longer() -> None:
    seen = looks("SCALE_UP", 121, expected_s=120)
    assert len(seen) <= 8
    assert seen[-1] < 121 * 1.03


def test_a_bake_of_ten_minutes_takes_few_looks_and_little_longer() -> None:
    seen = looks("BAKE_TIME", 600, least_s(replace(SPEC, bake_s=590), 100))
    assert len(seen) <= 18
    assert seen[-1] < 600 * 1.03


def test_an_update_of_nine_minutes_takes_no_more_than_forty_calls() -> None:
    """Sixteen calls register, begin, answer and measure; the others look."""
    legs = [("SCALE_UP", 121, 120), ("POST_PRODUCTION_TRAFFIC_SHIFT", 41, 40), ("BAKE_TIME", 361, 360)]
    assert 16 + sum(len(looks(*leg)) for leg in legs) <= 40


def test_what_takes_longer_than_before_is_looked_at_all_the_more() -> None:
    seen = looks("SCALE_UP", 100, expected_s=20)
    assert len([at for at in seen if at > 20]) > 8


def test_a_leg_lasts_at_least_what_it_bakes_in_whole_minutes() -> None:
    spec = replace(SPEC, bake_s=61, every_s=30)
    assert [least_s(spec, percent) for percent in (0, 10, 100)] == [0, 60, 120]
