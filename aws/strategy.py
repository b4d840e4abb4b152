"""Says to ECS how a version is to be rolled out: strategy, steps, bake time, pauses that we answer, alarms."""

from __future__ import annotations

import math
from typing import Any

from aws.place import Place
from bot.ports.rollouts import RolloutSpec

BEFORE_TRAFFIC, AFTER_TRAFFIC = "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"
PAUSE_LIMIT_MINUTES = 30
"""A pause nobody answers, because we are gone, ends in a rollback."""
_STRATEGIES = {"all": "BLUE_GREEN", "canary": "CANARY", "linear": "LINEAR", "rolling": "ROLLING"}


def deployment_configuration(spec: RolloutSpec, place: Place, *, gated: bool) -> dict[str, Any]:
    """`deploymentConfiguration` of CreateService and UpdateService; every part is said, so that none is inherited.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    config: dict[str, Any] = {
        "strategy": _STRATEGIES[spec.strategy],
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "alarms": {"alarmNames": list(place.alarms), "enable": bool(place.alarms), "rollback": bool(place.alarms)},
        "lifecycleHooks": [],
    }
    if spec.strategy == "rolling":
        return config
    config["bakeTimeInMinutes"] = math.ceil(spec.bake_s / 60)
    config["lifecycleHooks"] = [_pause(BEFORE_TRAFFIC), _pause(AFTER_TRAFFIC)] if gated else []
    minutes = math.ceil(spec.every_s / 60)
    if spec.strategy == "canary":
        config["canaryConfiguration"] = {"canaryPercent": spec.percent, "canaryBakeTimeInMinutes": minutes}
    if spec.strategy == "linear":
        config["linearConfiguration"] = {"stepPercent": max(spec.percent, 3.0), "stepBakeTimeInMinutes": minutes}
    return config


def _pause(stage: str) -> dict[str, Any]:
    limit = {"timeoutInMinutes": PAUSE_LIMIT_MINUTES, "action": "ROLLBACK"}
    return {"targetType": "PAUSE", "lifecycleStages": [stage], "timeoutConfiguration": limit}
