"""What a repository allows of previews: whether, how many, for how long, and what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.durations import seconds_of

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class PreviewsConfig:
    """The `previews` of `.shipmate.yml`. Off unless it is switched on."""

    enabled: bool = False
    automatic: bool = False
    """Whether one is made by itself for each pull request; else `/preview` makes it."""
    ttl_s: int = 3 * DAY_S
    """How long one lives without being asked for again."""
    longest_s: int = 14 * DAY_S
    """How far ahead of now `/preview extend` may put its end."""
    most: int = 10
    """How many a repository may have at once."""
    like: str | None = None
    """The environment whose port, health check, variables and limits it has; never its secrets or rules."""
    host: str | None = None
    """Its host name, with `{number}` in it."""
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def read_previews(given: Mapping[str, Any], env: Mapping[str, str], secrets: Mapping[str, str]) -> PreviewsConfig:
    """The `previews` of the file, checked against the schema before."""
    return PreviewsConfig(
        enabled=given.get("enabled", False),
        automatic=given.get("automatic", False),
        ttl_s=seconds_of(given.get("ttl", 3 * DAY_S)),
        longest_s=seconds_of(given.get("longest", 14 * DAY_S)),
        most=given.get("max", 10),
        like=given.get("like"),
        host=given.get("host"),
        env=env,
        secrets=secrets,
    )
