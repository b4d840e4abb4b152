"""Opens the engine `ecs`: images in ECR, versions rolled out on ECS, one set of clients for all deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aws.clients import AwsAccess, AwsClients
from aws.codebuild import CodeBuild
from aws.ecr import EcrRegistry, Pusher
from aws.place import PlaceSource, stated_place
from aws.rollouts import EcsRollouts
from bot.ports import Builder, RolloutEngine


@dataclass(frozen=True, slots=True)
class EcsParts:
    """What the engine is made of beside the account it works in: the same for every account.

    Images are made by `builder`, sent by `pusher` and removed from where they were built by `forget_image`; `owner`
    marks what this installation makes; `places` tells, for one account's clients, what a service stands on there.
    """

    owner: str
    builder: Builder
    pusher: Pusher
    forget_image: Callable[[str], Awaitable[None]]
    register_secret: Callable[[str], None]
    registry_host: str | None = None
    places: Callable[[AwsClients], PlaceSource] = lambda clients: stated_place


def ecs_engine(clients: AwsClients, parts: EcsParts) -> RolloutEngine:
    """The engine over one account's clients. Nothing is asked of AWS yet."""
    registry = EcrRegistry(
        clients, parts.pusher, parts.owner, host=parts.registry_host, register_secret=parts.register_secret
    )
    rollouts = EcsRollouts(clients, parts.owner, places=parts.places(clients))
    remote = CodeBuild(clients, parts.owner, registry.ensure)
    return RolloutEngine("ecs", parts.builder, registry, rollouts, parts.forget_image, remote=remote)


@asynccontextmanager
async def open_ecs(access: AwsAccess, parts: EcsParts) -> AsyncIterator[RolloutEngine]:
    """The engine over clients of its own, which are closed at the end."""
    clients = AwsClients(access)
    try:
        yield ecs_engine(clients, parts)
    finally:
        await clients.close()
