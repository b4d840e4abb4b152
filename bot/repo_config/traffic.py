"""How an environment takes on a new version: in which steps its traffic moves, and by which figures that is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.durations import seconds_of

CANARY_EVERY_S = 300
LINEAR_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class TrafficConfig:
    """`all` at once; `canary`: `percent` for `every_s`, then all; `linear`: `percent` more each `every_s`."""

    strategy: str = "all"
    percent: int = 10
    every_s: int = 0
    bake_s: int = 0
    """How long the old version stays ready to take everything back after the full switch."""


@dataclass(frozen=True, slots=True)
class GateConfig:
    """What the figures of a new version must keep to while it takes traffic."""

    error_percent: float = 1.0
    p95_ratio: float = 1.5
    """Its p95 may be this many times the old version's."""
    p95_slack_ms: float = 50.0
    """A difference smaller than this is noise, whatever the ratio."""
    requests: int = 20
    """Fewer requests decide nothing."""


@dataclass(frozen=True, slots=True)
class ParamConfig:
    """What a variable set by `/deploy … -- NAME=VALUE` may be: one of the `choices`, or what the `pattern` allows."""

    pattern: str | None = None
    choices: tuple[str, ...] = ()


def canary(percent: int, config: TrafficConfig) -> TrafficConfig:
    """The same environment, this once with so many percent first."""
    every_s = config.every_s or CANARY_EVERY_S
    return TrafficConfig("canary", percent, every_s, config.bake_s)


def read_traffic(given: Mapping[str, Any]) -> TrafficConfig:
    """The `traffic` of an environment, checked against the schema before."""
    strategy = given.get("strategy", "all")
    default_s = {"canary": CANARY_EVERY_S, "linear": LINEAR_EVERY_S}.get(strategy, 0)
    return TrafficConfig(
        strategy=strategy,
        percent=given.get("percent", 10),
        every_s=seconds_of(given.get("every", default_s)),
        bake_s=seconds_of(given.get("bake", 0)),
    )


def read_gate(given: Mapping[str, Any]) -> GateConfig:
    """The `gate` of an environment, checked against the schema before."""
    return GateConfig(
        error_percent=float(given.get("error_percent", 1.0)),
        p95_ratio=float(given.get("p95_ratio", 1.5)),
        p95_slack_ms=float(given.get("p95_slack_ms", 50.0)),
        requests=given.get("requests", 20),
    )


def read_params(given: Mapping[str, Mapping[str, Any] | None]) -> dict[str, ParamConfig]:
    """The `params` of an environment, checked against the schema before."""
    rules = {name: rule or {} for name, rule in given.items()}
    return {name: ParamConfig(one.get("pattern"), tuple(one.get("enum", ()))) for name, one in rules.items()}
