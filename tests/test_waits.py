"""A stage has more time than others only where the settings say what for, and the deployment is granted as much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.watching.steps import waits, watched
from bot.model import Stage
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.traffic import TrafficConfig

BAKED = TrafficConfig(bake_s=300)


def plan(traffic: TrafficConfig | None = None, **ecs: Any) -> Plan:
    """A plan for an environment with these settings."""
    return Plan(EnvironmentConfig("production", traffic=traffic or TrafficConfig(), ecs=ecs), "ecs")


@pytest.mark.parametrize(
    ("given", "granted"),
    [
        (plan(), {}),
        (plan(BAKED), {Stage.SWITCH: 300.0}),
        (plan(codebuild={"project": "p", "timeout": 5}), {}),
        (plan(BAKED, codebuild={"timeout": 25}), {Stage.BUILD: 900.0, Stage.SWITCH: 300.0}),
        (plan(follow={"state_machine": "arn"}), {Stage.LIFECYCLE: 1200.0}),
        (replace(plan(BAKED, codebuild={"timeout": 25}), noop=True), {Stage.BUILD: 900.0}),
    ],
)
def test_what_is_granted_is_named_and_added_up(given: Plan, granted: dict[Stage, float]) -> None:
    assert {stage: seconds for stage, seconds in waits(given).items() if seconds} == granted
    assert watched(given).waits_s == sum(granted.values())
