"""Lengths of time are read as they are written, and said short."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.durations import duration, seconds_of, shown
from bot.errors import Refused


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("3d", 259_200), ("1w1d", 691_200), ("0s", 0)]
)
def test_a_length_of_time_is_the_sum_of_its_parts(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)
    assert seconds_of(text) == seconds_of(seconds) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-5m", "5 m", "5m ", "5y", "1h" * 6, "9" * 20 + "s", "\uff15m"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="bad_duration"):
        duration(text)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0s"), (-5, "0s"), (45, "45s"), (5400, "1h 30m"), (93_784, "1d 2h"), (604_800, "1w")]
)
def test_a_length_is_said_in_its_two_largest_units(seconds: int, said: str) -> None:
    assert shown(timedelta(seconds=seconds)) == said
