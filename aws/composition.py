"""Opens the engine `ecs`: images in ECR, versions rolled out on ECS, one set of clients for all deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aws.chosen import ChosenRollouts
from aws.clients import AwsAccess, AwsClients
from aws.codebuild import CodeBuild
from aws.ecr import EcrRegistry, Pusher
from aws.follow import FollowedRollouts, Lookout
from aws.provision.places import ProvisionedPlaces
from aws.provision.site import Waits
from aws.repeat import FIRST_PAUSE_S
from aws.rollouts import EcsRollouts
from bot.ports.engines import RolloutEngine
from bot.ports.images import Builder
from bot.ports.rollouts import Pace


@dataclass(frozen=True, slots=True)
class EcsParts:
    """What the engine is made of beside the account it works in: the same for every account.

    Images are made by `builder`, sent by `pusher` and removed from where they were built by `forget_image`; `owner`
    marks what this installation makes.
    """

    owner: str
    builder: Builder
    pusher: Pusher
    forget_image: Callable[[str], Awaitable[None]]
    register_secret: Callable[[str], None]
    registry_host: str | None = None
    pace: Pace = field(default_factory=Pace)
    first_pause_s: float = FIRST_PAUSE_S
    """Before what a lost answer may have made is looked for; doubled each time."""
    lookout: Lookout = field(default_factory=Lookout)
    """With a state machine that is followed."""


def ecs_engine(clients: AwsClients, parts: EcsParts) -> RolloutEngine:
    """The engine over one account's clients. Nothing is asked of AWS yet."""
    registry = EcrRegistry(
        clients, parts.pusher, parts.owner, host=parts.registry_host, register_secret=parts.register_secret
    )
    waits = Waits(every_s=parts.pace.longest_s, first_pause_s=parts.first_pause_s)
    ground = ProvisionedPlaces(clients, parts.owner, waits=waits)
    return RolloutEngine(
        "ecs",
        parts.builder,
        registry,
        ChosenRollouts(
            EcsRollouts(clients, parts.owner, places=ground, pace=parts.pace, first_pause_s=parts.first_pause_s),
            FollowedRollouts(clients, parts.owner, parts.lookout),
        ),
        parts.forget_image,
        parts.pace,
        CodeBuild(clients, parts.owner, registry.ensure, pace=parts.pace, first_pause_s=parts.first_pause_s),
        ground,
    )


@asynccontextmanager
async def open_ecs(access: AwsAccess, parts: EcsParts) -> AsyncIterator[RolloutEngine]:
    """The engine over clients of its own, which are closed at the end."""
    clients = AwsClients(access)
    try:
        yield ecs_engine(clients, parts)
    finally:
        await clients.close()
