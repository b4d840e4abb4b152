"""Opens what runs in AWS: the engine over the server's own account, and the accounts that others lent us a way into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from bot.asked import Tables
from bot.config import AwsSettings, Settings
from bot.engines.absent import AbsentBuilder, forget_nothing
from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.registry import DockerRegistry
from bot.masking import Masker
from bot.ports.engines import Accounts, Engine, Errand, RolloutEngine
from bot.process.queued import Message
from bot.store.connections import Connections

if TYPE_CHECKING:
    from aws.composition import EcsParts
    from aws.ecr import Login


@asynccontextmanager
async def open_ecs(
    settings: Settings, at: AwsSettings, docker: Engine | None, masker: Masker
) -> AsyncIterator[RolloutEngine]:
    """The engine `ecs` over the server's own account. Without a Docker engine only AWS builds images."""
    from aws import composition  # only where AWS is set up: botocore takes a server's start again
    from aws.clients import AwsAccess

    async with _pushing(settings) as api:
        parts = ecs_parts(settings, docker, masker, api)
        async with composition.open_ecs(AwsAccess(at.region, at.endpoint_url), parts) as ecs:
            yield ecs


@asynccontextmanager
async def open_accounts(
    settings: Settings, docker: Engine | None, masker: Masker, connections: Connections
) -> AsyncIterator[Accounts]:
    """Other people's accounts, entered by the connections there are."""
    async with _pushing(settings) as api:

        def make() -> ClosableAccounts:
            return _lent_accounts(settings, ecs_parts(settings, docker, masker, api), masker, connections)

        accounts = LateAccounts(make)
        try:
            yield accounts
        finally:
            await accounts.close()


@asynccontextmanager
async def open_tables(at: AwsSettings | None) -> AsyncIterator[Tables | None]:
    """The tables that deployments are asked for in; None where the settings name none."""
    if at is None or at.deployments_table is None or at.installations_table is None:
        yield None
        return
    from aws.asked import DynamoAsked  # as above
    from aws.clients import AwsAccess, AwsClients
    from aws.places import DynamoPlaces

    clients = AwsClients(AwsAccess(at.region, at.endpoint_url))
    try:
        yield Tables(DynamoAsked(clients, at.deployments_table), DynamoPlaces(clients, at.installations_table))
    finally:
        await clients.close()


async def look_at_aws(at: AwsSettings) -> tuple[bool, str]:
    """What the doctor says of the server's own account. Raises ShipmateError where AWS cannot be asked at all."""
    from aws.checkup import look_at  # as above
    from aws.clients import AwsAccess

    return await look_at(AwsAccess(at.region, at.endpoint_url))


async def take_off(at: AwsSettings, message: Message) -> None:
    """Delete a message whose job is done. Repeatable. Raises what `aws_errors` says."""
    from aws import queue  # as above
    from aws.clients import AwsAccess, AwsClients

    clients = AwsClients(AwsAccess(at.region, at.endpoint_url))
    try:
        await queue.take_off(clients, message.queue_url, message.receipt)
    finally:
        await clients.close()


class ClosableAccounts(Accounts, Protocol):
    """Accounts whose connections are ended with the server."""

    async def close(self) -> None: ...


class LateAccounts:
    """`ports.Accounts`, made by `make` when the first is entered: botocore takes a server's start again."""

    def __init__(self, make: Callable[[], ClosableAccounts]) -> None:
        self._make = make
        self._made: ClosableAccounts | None = None

    @asynccontextmanager
    async def entered(self, errand: Errand) -> AsyncIterator[RolloutEngine]:
        self._made = self._made or self._make()
        async with self._made.entered(errand) as engine:
            yield engine

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def ecs_parts(settings: Settings, docker: Engine | None, masker: Masker, api: EngineApi) -> EcsParts:
    """What every engine `ecs` is made of, whosever account it works in; `api` pushes the images."""
    from aws.composition import EcsParts

    def pusher(login: Login) -> DockerRegistry:
        return DockerRegistry(api, RegistryAccess(login.host, login.username, login.password))

    return EcsParts(
        settings.owner,
        builder=docker.builder if docker else AbsentBuilder(),
        pusher=pusher,
        forget_image=docker.forget_image if docker else forget_nothing,
        register_secret=masker.register,
        registry_host=settings.aws.registry_host if settings.aws else None,
    )


def _lent_accounts(settings: Settings, parts: EcsParts, masker: Masker, connections: Connections) -> ClosableAccounts:
    from aws.accounts import LentAccounts

    endpoint_url = settings.aws.endpoint_url if settings.aws else None
    return LentAccounts(connections, parts, masker.register_passing, endpoint_url=endpoint_url)


@asynccontextmanager
async def _pushing(settings: Settings) -> AsyncIterator[EngineApi]:
    """A way of its own to the Docker engine, for images that go out."""
    api = EngineApi(EngineAddress(settings.docker_host) if settings.docker_host else None)
    try:
        yield api
    finally:
        await api.close()
