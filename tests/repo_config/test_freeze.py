"""When an environment is frozen, and until when: days, hours, dates, and what clocks do twice a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.repo_config.freeze import DAYS, FreezeWindow, frozen

BERLIN = "Europe/Berlin"
WEEKEND = FreezeWindow(("fri", "sat", "sun"), "17:00-09:00", BERLIN, reason="the weekend")


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-05-08T14:59", False),  # Friday, 16:59 in Berlin
        ("2026-05-08T15:00", True),
        ("2026-05-09T06:59", True),  # Saturday morning belongs to Friday's night
        ("2026-05-09T07:00", False),
        ("2026-05-11T06:59", True),  # Monday morning belongs to Sunday's
        ("2026-05-11T07:00", False),
        ("2026-05-11T16:00", False),  # Monday's own evening is not named
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_begin_on(moment: str, holds: bool) -> None:
    assert (frozen([WEEKEND], at(moment)) is not None) is holds


def test_one_who_is_refused_is_told_until_when_and_why() -> None:
    found = frozen([WEEKEND], at("2026-05-08T20:00"))
    assert found is not None
    assert found.until is not None
    assert found.until.isoformat() == "2026-05-09T09:00:00+02:00"
    assert found.reason == "the weekend"


def test_windows_that_follow_on_one_another_end_together() -> None:
    windows = [FreezeWindow(("sat",)), FreezeWindow(("sun",)), FreezeWindow(hours="00:00-08:00")]
    found = frozen(windows, at("2026-05-09T12:00"))
    assert found is not None
    assert found.until == at("2026-05-11T08:00")


def test_the_last_day_of_a_freeze_is_frozen_to_its_end_in_its_own_zone() -> None:
    holidays = FreezeWindow(zone="Asia/Seoul", begins="2026-12-20", ends="2027-01-03")
    assert frozen([holidays], at("2026-12-19T14:59")) is None
    assert frozen([holidays], at("2026-12-19T15:00")) is not None
    assert frozen([holidays], at("2027-01-03T14:59")) is not None
    assert frozen([holidays], at("2027-01-03T15:00")) is None


def test_a_freeze_with_no_end_says_so() -> None:
    found = frozen([FreezeWindow(begins="2026-01-01", reason="the move")], at("2026-05-09T12:00"))
    assert found is not None
    assert found.until is None


def test_when_the_clocks_go_back_an_hour_is_not_frozen_for_longer_than_it_says() -> None:
    night = FreezeWindow(hours="22:00-04:00", zone=BERLIN)
    found = frozen([night], at("2026-10-24T21:00"))
    assert found is not None
    assert found.until is not None
    assert found.until.astimezone(UTC) == at("2026-10-25T03:00")


WINDOWS = st.builds(
    FreezeWindow,
    days=st.lists(st.sampled_from(DAYS), max_size=3, unique=True).map(tuple),
    hours=st.sampled_from([None, "00:00-24:00", "09:00-17:00", "17:00-09:00", "23:30-00:00"]),
    zone=st.sampled_from(["UTC", BERLIN, "Asia/Seoul", "America/St_Johns"]),
)


@given(WINDOWS, st.integers(0, 400 * 24 * 4))
def test_it_is_not_frozen_at_the_end_and_is_until_just_before(window: FreezeWindow, quarters: int) -> None:
    now = at("2026-01-01T00:00") + timedelta(minutes=15 * quarters)
    found = frozen([window], now)
    if found is not None and found.until is not None:
        assert found.until > now
        assert frozen([window], found.until) is None
        assert frozen([window], found.until - timedelta(seconds=1)) is not None
