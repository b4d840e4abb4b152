"""In which steps traffic moves to a new version, and how long each is watched: pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from bot.jobs.deploy.plan import Plan
from bot.model import Stage
from bot.repo_config.ecs import CODEBUILD, FOLLOW
from bot.repo_config.traffic import TrafficConfig

FULL_PERCENT = 100
STAGE_S = 600.0
"""How long a stage may take."""
FOLLOWED_S = 1800.0
"""How long a state machine that is followed may take."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many percent go to green, and are watched for `hold_s` seconds before the next step."""

    percent: int
    hold_s: int


def steps_of(config: TrafficConfig, *, has_blue: bool) -> tuple[Step, ...]:
    """The last step is always all of it. A first deployment has nobody to share with, nor to go back to."""
    if not has_blue:
        return (Step(FULL_PERCENT, 0),)
    last = Step(FULL_PERCENT, config.bake_s)
    if config.strategy == "all":
        return (last,)
    if config.strategy == "canary":
        return (Step(config.percent, config.every_s), last)
    return (*(Step(percent, config.every_s) for percent in range(config.percent, FULL_PERCENT, config.percent)), last)


def watched(plan: Plan) -> Plan:
    """The plan with the time that its stages take on purpose, which no limit counts."""
    return dataclasses.replace(plan, waits_s=sum(waits(plan).values()))


def waits(plan: Plan) -> dict[Stage, float]:
    """Seconds that stages have beyond the limit of each: a longer build, a state machine, steps that are watched."""
    ecs = plan.environment.ecs
    minutes = (ecs.get(CODEBUILD) or {}).get("timeout") or 0
    building = {Stage.BUILD: max(0.0, minutes * 60 - STAGE_S)}
    if plan.noop:
        return building
    if FOLLOW in ecs:
        return {**building, Stage.LIFECYCLE: FOLLOWED_S - STAGE_S}
    steps = steps_of(plan.environment.traffic, has_blue=True)
    return {**building, Stage.SWITCH: float(sum(step.hold_s for step in steps))}


def shares(before: Mapping[str, int], green: str, percent: int) -> dict[str, int]:
    """Each target's share when green has so many percent: those that served before keep theirs of what is left."""
    serving = {name: share for name, share in before.items() if share}
    left, total = FULL_PERCENT - percent, sum(serving.values())
    if not serving or not left:
        return {green: FULL_PERCENT}
    split = {name: share * left // total for name, share in serving.items()}
    largest = max(serving, key=lambda name: serving[name])
    split[largest] += left - sum(split.values())
    return {**split, green: percent}
