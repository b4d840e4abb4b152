"""A rollout is looked at often while things happen, and seldom while it bakes."""

from __future__ import annotations

from bot.jobs.deploy.rollout.rhythm import BAKE_TIME, Rhythm
from bot.ports import Pace

PACE = Pace(first_s=2, longest_s=10, bake_s=60)


def looks(rhythm: Rhythm, stage: str, lasts_s: float, began_s: float = 0.0) -> list[float]:
    """When it is looked at, in a stage that lasts so long."""
    now, seen = began_s, list[float]()
    while now < began_s + lasts_s:
        now += rhythm.next_wait_s(stage, 0.0, now)
        seen.append(now - began_s)
    return seen


def test_the_waits_grow_to_the_longest() -> None:
    seen = looks(Rhythm(PACE), "SCALE_UP", 60)
    waits = [after - before for before, after in zip([0.0, *seen], seen, strict=False)]
    assert waits[0] == 2
    assert waits == sorted(waits)
    assert max(waits) == 10


def test_a_change_makes_it_look_soon_again() -> None:
    rhythm = Rhythm(PACE)
    looks(rhythm, "SCALE_UP", 60)
    assert rhythm.next_wait_s("POST_SCALE_UP", 0.0, 60) == 2
    assert rhythm.next_wait_s("POST_SCALE_UP", 10.0, 62) == 2


def test_a_bake_of_ten_minutes_takes_few_looks_and_little_longer() -> None:
    seen = looks(Rhythm(PACE, {BAKE_TIME: 600}), BAKE_TIME, 600)
    assert len(seen) <= 12
    assert seen[-1] < 600 * 1.03
