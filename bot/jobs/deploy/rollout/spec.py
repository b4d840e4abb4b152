"""What a deployment asks of a platform that rolls out by itself: the plan as a `RolloutSpec`."""

from __future__ import annotations

import dataclasses
from typing import Any

from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.stages.start import mask_what_was_given, secret_values
from bot.model import Repository, Stage
from bot.ports.engines import Maker, RolloutEngine
from bot.ports.rollouts import Prepared, RolloutSpec
from bot.repo_config.config import EnvironmentConfig
from bot.repo_config.ecs import FOLLOW

RolloutShip = Ship[RolloutEngine]
ROLLING = "rolling"
NOT_OF_THE_PLACE = frozenset({ROLLING, "builder", "codebuild"})
"""Keys of `ecs` that say how a version is made and rolled out, not where it runs."""


def is_followed(ship: RolloutShip) -> bool:
    """Whether somebody else's state machine rolls out, and is followed."""
    return FOLLOW in ship.plan.environment.ecs


def rollout_spec(ship: RolloutShip) -> RolloutSpec:
    """All of it but the secrets' values, which only registering a version needs."""
    settings, context = ship.plan.environment, ship.context
    mask_what_was_given(ship)
    made = bool(context.known(Stage.BUILD, "made") or ship.plan.made_dockerfile)
    return RolloutSpec(
        service=platform_service(ship.job.repository, ship.job.environment),
        repository=ship.job.repository.full_name,
        environment=ship.job.environment,
        job_id=ship.job.id,
        image=str(context.known(Stage.PUSH, "image") or ""),
        port=int(context.known(Stage.BUILD, "port") or 0),
        health=settings.health,
        env=settings.env,
        command=settings.command or (None if made else ship.plan.build.get("start")),
        memory_mb=settings.memory_mb,
        cpus=settings.cpus,
        read_only=settings.read_only if settings.read_only is not None else made,
        hosts=settings.hosts,
        strategy=_strategy(settings),
        percent=float(settings.traffic.percent),
        every_s=settings.traffic.every_s,
        bake_s=settings.traffic.bake_s,
        place=_place(settings),
        revision=ship.plan.instance_id,
    )


def ground_spec(repository: Repository, environment: EnvironmentConfig) -> RolloutSpec:
    """The same as far as it says what the service stands on, with no version of it in sight."""
    return RolloutSpec(
        service=platform_service(repository, environment.name),
        repository=repository.full_name,
        environment=environment.name,
        job_id="",
        image="",
        port=environment.port or 0,
        health=environment.health,
        hosts=environment.hosts,
        strategy=_strategy(environment),
        place=_place(environment),
    )


def platform_service(repository: Repository, environment: str) -> str:
    """What the service is called on the platform; by the repository's number, so that a rename keeps it."""
    return f"shipmate-{repository.id}-{environment}"


def _strategy(settings: EnvironmentConfig) -> str:
    return ROLLING if settings.ecs.get(ROLLING) else settings.traffic.strategy


def _place(settings: EnvironmentConfig) -> dict[str, Any]:
    return {name: value for name, value in settings.ecs.items() if name not in NOT_OF_THE_PLACE}


async def with_secrets(ship: RolloutShip, spec: RolloutSpec) -> RolloutSpec:
    """The values, each masked from now on. Raises Permanent("secret_missing")."""
    return dataclasses.replace(spec, secrets=await secret_values(ship))


def kept_prepared(ship: Ship[Maker]) -> Prepared | None:
    """What stage 3 left, or None where it did not get so far."""
    kept: dict[str, Any] | None = ship.context.known(Stage.START, "prepared")
    return Prepared(**kept) if kept else None


def prepared_of(ship: RolloutShip) -> Prepared:
    """What stage 3 left. Raises ValueError before that."""
    kept = kept_prepared(ship)
    if kept is None:
        raise ValueError("no version was prepared")
    return kept
