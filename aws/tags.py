"""The tags every resource of ours bears: who made it, for what, and by which job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.ports.rollouts import RolloutSpec

OWNER = "shipmate:owner"
JOB = "shipmate:job"
REPOSITORY = "shipmate:repository"
ENVIRONMENT = "shipmate:environment"
STACK = "shipmate:stack"
"""All that one environment stands on bears the same."""
PART = "shipmate:part"
MADE = "shipmate:made"
"""When it was made (ISO 8601, UTC): of two that should be one, the older counts."""


def of_spec(spec: RolloutSpec, owner: str) -> dict[str, str]:
    """The tags of what one job makes."""
    return {OWNER: owner, REPOSITORY: spec.repository, ENVIRONMENT: spec.environment, JOB: spec.job_id}


def lower(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As ECS spells them."""
    return [{"key": name, "value": value} for name, value in tags.items()]


def upper(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As ECR, Secrets Manager and most others spell them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def read(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Either spelling, as a mapping."""
    return {tag.get("key", tag.get("Key", "")): tag.get("value", tag.get("Value", "")) for tag in tags}
