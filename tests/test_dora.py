"""The four figures of delivery, from deployments that are known by heart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.desk.answers.dora import LEAST, WINDOW, Figures, Measure, Shipment, figures
from bot.desk.answers.stats import bars

NOW = datetime(2026, 5, 29, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def shipped(days_ago: float, sha: str = "", lost_after: timedelta | None = None, *, completed: bool = True) -> Shipment:
    live_at = NOW - days_ago * DAY
    return Shipment(sha or f"sha{days_ago}", live_at, live_at + lost_after if lost_after else None, completed)


def of(*shipments: Shipment, committed: dict[str, datetime] | None = None) -> Figures:
    return figures("production", shipments, committed or {}, NOW)


def test_with_nothing_deployed_there_is_no_figure() -> None:
    assert of() == Figures("production", Measure(0), Measure(0), Measure(0), Measure(0), (0, 0, 0, 0))


def test_with_too_few_deployments_there_is_only_their_count() -> None:
    few = of(*[shipped(day) for day in range(1, LEAST)])
    assert (few.frequency, few.failure_percent) == (Measure(LEAST - 1), Measure(LEAST - 1))


def test_the_frequency_is_a_week_over_the_whole_window() -> None:
    assert of(*[shipped(day) for day in (1, 2, 3, 9, 10, 20, 26, 27)]).frequency == Measure(8, 2.0)


def test_what_is_older_than_the_window_does_not_count() -> None:
    assert of(shipped(1), shipped(WINDOW.days), shipped(400)).frequency.count == 1


def test_weeks_are_counted_oldest_first() -> None:
    assert of(shipped(0), shipped(6.9), shipped(7.1), shipped(27)).weekly == (1, 0, 1, 2)


def test_the_lead_time_is_the_median_from_commit_to_first_live() -> None:
    ships = [shipped(1, "a"), shipped(2, "b"), shipped(3, "c"), shipped(0.5, "a")]
    committed = {"a": NOW - DAY - HOUR, "b": NOW - 2 * DAY - 2 * HOUR, "c": NOW - 3 * DAY - 30 * HOUR}
    assert of(*ships, committed=committed).lead_s == Measure(3, 7200.0)


def test_commits_whose_date_is_not_known_are_left_out_and_not_guessed() -> None:
    ships = [shipped(day) for day in (1, 2, 3, 4)]
    assert of(*ships, committed={"sha1": NOW - 2 * DAY}).lead_s == Measure(1)


def test_a_commit_dated_in_the_future_took_no_time() -> None:
    ships = [shipped(day) for day in (1, 2, 3)]
    assert of(*ships, committed={one.sha: NOW + DAY for one in ships}).lead_s == Measure(3, 0.0)


def test_those_that_gave_the_traffic_back_are_failures_and_not_deployments() -> None:
    ships = [shipped(1), shipped(2), shipped(3), shipped(4, lost_after=HOUR, completed=False)]
    found = of(*ships)
    assert (found.frequency.count, found.failure_percent) == (3, Measure(4, 25.0))


def test_one_that_somebody_rolled_back_later_is_both() -> None:
    found = of(shipped(1), shipped(2), shipped(3, lost_after=2 * HOUR), shipped(4))
    assert (found.frequency.count, found.failure_percent, found.restore_s) == (4, Measure(4, 25.0), Measure(1, 7200.0))


def test_the_time_to_restore_is_the_median() -> None:
    ships = [shipped(day, lost_after=day * HOUR) for day in (1, 2, 6)]
    assert of(*ships).restore_s == Measure(3, 7200.0)


@pytest.mark.parametrize(
    ("counts", "drawn"), [((), ""), ((0, 0), "▁▁"), ((0, 1), "▁█"), ((0, 2, 4), "▁▅█"), ((7, 7), "██")]
)
def test_bars_are_as_high_as_their_count_beside_the_greatest(counts: tuple[int, ...], drawn: str) -> None:
    assert bars(counts) == drawn
