"""What the options of a deployment make of an environment: a share first, variables for this release alone."""

from __future__ import annotations

import dataclasses

from bot.errors import Refused
from bot.grammar import Command
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.ecs import FOLLOW
from bot.repo_config.patterns import fits
from bot.repo_config.traffic import canary


def with_options(environment: EnvironmentConfig, command: Command) -> EnvironmentConfig:
    """The environment as this one deployment has it.

    Raises Refused("params_none", "param_unknown" or "param_refused"), and "canary_followed" where a state machine
    moves the traffic.
    """
    percent = command.get("canary")
    if percent and FOLLOW in environment.ecs:
        raise Refused("canary_followed", environment=environment.name)
    traffic = canary(int(percent.rstrip("%")), environment.traffic) if percent else environment.traffic
    given = {name: _allowed(name, value, environment) for name, value in command.pairs.items()}
    return dataclasses.replace(environment, traffic=traffic, env={**environment.env, **given})


def _allowed(name: str, value: str, environment: EnvironmentConfig) -> str:
    """The value, which is never shown in a refusal: it may be a secret."""
    if not environment.params:
        raise Refused("params_none", name=name, environment=environment.name)
    rule = environment.params.get(name)
    if rule is None:
        raise Refused("param_unknown", name=name, environment=environment.name, known=sorted(environment.params))
    if rule.choices and value not in rule.choices:
        raise Refused("param_refused", name=name, environment=environment.name, wanted=list(rule.choices))
    if rule.pattern is not None and not fits(rule.pattern, value):
        raise Refused("param_refused", name=name, environment=environment.name, wanted=[rule.pattern])
    return value
