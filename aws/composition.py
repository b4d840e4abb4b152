"""Opens the engine `ecs`: images in ECR, versions rolled out on ECS, one set of clients for all deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aws.clients import AwsAccess, AwsClients
from aws.ecr import EcrRegistry, Pusher
from aws.place import PlaceSource, stated_place
from aws.rollouts import EcsRollouts
from bot.ports import Builder, RolloutEngine


@asynccontextmanager
async def open_ecs(
    access: AwsAccess,
    owner: str,
    *,
    builder: Builder,
    pusher: Pusher,
    forget_image: Callable[[str], Awaitable[None]],
    register_secret: Callable[[str], None],
    registry_host: str | None = None,
    places: PlaceSource = stated_place,
) -> AsyncIterator[RolloutEngine]:
    """Images are made by `builder` and sent by `pusher`. Nothing is asked of AWS yet."""
    clients = AwsClients(access)
    try:
        registry = EcrRegistry(clients, pusher, owner, host=registry_host, register_secret=register_secret)
        yield RolloutEngine("ecs", builder, registry, EcsRollouts(clients, owner, places=places), forget_image)
    finally:
        await clients.close()
