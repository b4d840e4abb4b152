"""What the figures of a new version say about it."""

from __future__ import annotations

import pytest

from bot.jobs.deploy.watching.health import Probe
from bot.jobs.deploy.watching.steps import Step, shares, steps_of
from bot.jobs.deploy.watching.verdict import Figures, Verdict, judge, of_probes, of_traffic
from bot.repo_config.traffic import GateConfig, TrafficConfig

GATE = GateConfig()
BLUE = Figures(1000, 2, 10.0, 100.0)


@pytest.mark.parametrize(
    ("green", "verdict", "rule"),
    [
        (Figures(), Verdict.INCONCLUSIVE, "requests"),
        (Figures(19, 19, 1.0, 1.0), Verdict.INCONCLUSIVE, "requests"),
        (Figures(1000, 10, 10.0, 100.0), Verdict.PASS, "p95_ms"),
        (Figures(1000, 11, 10.0, 100.0), Verdict.FAIL, "error_percent"),
        (Figures(20, 1, 10.0, 100.0), Verdict.PASS, "p95_ms"),
        (Figures(20, 2, 10.0, 100.0), Verdict.FAIL, "error_percent"),
        (Figures(1000, 0, 10.0, 150.0), Verdict.PASS, "p95_ms"),
        (Figures(1000, 0, 10.0, 150.1), Verdict.FAIL, "p95_ms"),
    ],
)
def test_green_is_judged_by_its_errors_and_beside_blue(green: Figures, verdict: Verdict, rule: str) -> None:
    judgement = judge(green, BLUE, GATE)
    assert (judgement.verdict, judgement.rule) == (verdict, rule)


@pytest.mark.parametrize("blue", [None, Figures(), Figures(19, 0, 1.0, 1.0)])
def test_without_a_good_measure_of_blue_only_errors_count(blue: Figures | None) -> None:
    assert judge(Figures(100, 0, 900.0, 9000.0), blue, GATE).verdict is Verdict.PASS


def test_a_difference_of_a_few_milliseconds_is_noise() -> None:
    assert judge(Figures(100, 0, 1.0, 40.0), Figures(100, 0, 1.0, 2.0), GATE).verdict is Verdict.PASS


def test_where_no_error_is_allowed_one_is_too_many() -> None:
    assert judge(Figures(100, 1, 1.0, 1.0), None, GateConfig(error_percent=0)).verdict is Verdict.FAIL


def test_our_own_requests_are_counted_as_peoples_are() -> None:
    probes = [Probe(float(number), 200) for number in range(1, 20)] + [Probe(99.0, 500, "answered 500")]
    assert of_probes(probes) == Figures(20, 1, 10.0, 19.0)
    assert of_probes([Probe(1.0, None, "no connection")]) == Figures(1, 1, None, None)
    assert of_traffic(None) == Figures()


def test_the_steps_end_with_all_of_it() -> None:
    assert steps_of(TrafficConfig("linear", 30, 60, 5), has_blue=True) == (
        *(Step(percent, 60) for percent in (30, 60, 90)),
        Step(100, 5),
    )
    assert steps_of(TrafficConfig("canary", 10, 300, 60), has_blue=False) == (Step(100, 0),)


@pytest.mark.parametrize("percent", range(1, 101))
def test_shares_always_add_up(percent: int) -> None:
    split = shares({"old": 67, "older": 33, "gone": 0}, "green", percent)
    assert sum(split.values()) == 100
    assert split["green"] == percent
    assert "gone" not in split
