"""How long it will be for each in a line, by what the last jobs there took."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.line import places, usual_of
from bot.model import Job, JobKind, JobState, Origin
from tests.storage.sample import API, NOW, after


def job(number: int, started_s: float | None = None) -> Job:
    started_at = None if started_s is None else after(started_s)
    return Job(
        id=f"dep_{number:010}",
        kind=JobKind.DEPLOY,
        state=JobState.PENDING,
        lane="lane",
        repository=API,
        sha="a" * 40,
        ref="main",
        environment="staging",
        origin=Origin("comment", "alice", 1),
        spec={},
        created_at=NOW,
        started_at=started_at,
    )


def waits(line: list[Job], usual_s: float | None) -> list[float | None]:
    usual = None if usual_s is None else timedelta(seconds=usual_s)
    found = places(line, usual, NOW)
    assert [place.ahead for place in found] == list(range(len(line)))
    return [None if place.wait is None else place.wait.total_seconds() for place in found]


@pytest.mark.parametrize(
    ("started_s", "usual_s", "expected"),
    [
        (-20, 60, [0, 40, 100]),
        (None, 60, [0, 60, 120]),
        (-90, 60, [0, 0, 60]),
        (-20, None, [0, None, None]),
    ],
)
def test_each_waits_for_the_rest_of_the_first_and_the_usual_time_of_the_others(
    started_s: float | None, usual_s: float | None, expected: list[float | None]
) -> None:
    assert waits([job(1, started_s), job(2), job(3)], usual_s) == expected


def test_an_empty_line_has_no_places() -> None:
    assert waits([], 60) == []


def test_the_usual_time_is_the_median_so_that_one_that_hung_does_not_count_much() -> None:
    assert usual_of([10, 12, 900]) == timedelta(seconds=12)
    assert usual_of([]) is None
