"""The fake world with an engine `ecs` in it: images of the small language run as tasks of the emulated ECS."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from aiobotocore.session import AioSession

from aws.accounts import LentAccounts
from aws.clients import AwsClients
from aws.composition import EcsParts, ecs_engine
from aws.ecr import Login
from bot.composition.house import House
from bot.model import EventType
from bot.ports.engines import RolloutEngine
from bot.ports.images import BuiltImage, LogSink, PushedImage
from bot.ports.rollouts import Pace
from tests.aws.emulator.handle import Emulator
from tests.aws.network import CONTAINER_PORT, Network
from tests.aws.people import answer_of, people
from tests.fake_engine import FakeEngine
from tests.mortal import Mortal
from tests.world import World

QUICK = Pace(0.02, 0.05, 0.05, 0.05, 0.02)
FIRST_PAUSE_S = 0.02

AnyHarbour = TypeVar("AnyHarbour", bound="Harbour")


@dataclass
class Carrier:
    """Carries an image of the fake engine into the emulator, where its CMD says what its tasks do."""

    engine: FakeEngine
    emulator: Emulator
    login: Login | None = None

    def __call__(self, login: Login) -> Carrier:
        return Carrier(self.engine, self.emulator, login)

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """By the image's own id."""
        assert self.login is not None
        uri = f"{self.login.host}/{repository}@{image.id}"
        await asyncio.to_thread(self.emulator.has_image, uri, self.does(image))
        return PushedImage(uri, f"{self.login.host}/{repository}", pushed=True)

    def does(self, image: BuiltImage) -> str:
        """What its tasks do, in the emulator's words."""
        command = next(line for line in self.engine.images[image.id].splitlines() if line.startswith("CMD "))
        return command.removeprefix("CMD ")


class Harbour(World):
    """A world whose production is a service on ECS."""

    def __init__(
        self,
        folder: Path,
        emulator: Emulator,
        clients: AwsClients,
        network: Network,
        new_session: Callable[[], AioSession] = AioSession,
    ) -> None:
        super().__init__(folder)
        self.emulator, self.clients, self.network = emulator, clients, network
        self._new_session = new_session

    @property
    def owner(self) -> str:
        """Whose things are made in the emulator."""
        return "harbour"

    async def _opened(self, stack: AsyncExitStack) -> House:
        house = await super()._opened(stack)
        docker = house.own_engines["docker"]
        pusher = Carrier(self.engine, self.emulator)
        parts = EcsParts(self.owner, docker.builder, pusher, docker.forget_image, self.masker.register)
        accounts = LentAccounts(
            house.opened.store.connections,
            parts,
            self.masker.register_passing,
            endpoint_url=self.emulator.url,
            engine=self._engine,
            new_session=self._new_session,
        )
        stack.push_async_callback(accounts.close)
        engines = {**house.engines, "ecs": self._engine(self.clients, parts)}
        return replace(house, engines=engines, accounts=accounts)

    def _engine(self, clients: AwsClients, parts: EcsParts) -> RolloutEngine:
        """As the server has it, but quick, and each of its steps one that a server may die at."""
        made = ecs_engine(clients, replace(parts, pace=QUICK, first_pause_s=FIRST_PAUSE_S))
        return replace(made, rollouts=Mortal(made.rollouts, self.life), remote=Mortal(made.remote, self.life))

    async def sail(self, **settings: Any) -> None:
        """From now on production is on ECS, with these settings beside those of its place; what there is goes there."""
        await self.push_files({".shipmate.yml": self.settings_of(**settings)})
        await self.settle()

    def settings_of(self, **settings: Any) -> str:
        """The file with which production is on ECS."""
        ecs = {**self.network.place(), "family": self.network.name, **settings.pop("ecs", {})}
        production = {"branch": "main", "target": "ecs", "port": CONTAINER_PORT, "checks": 2, "ecs": ecs, **settings}
        return yaml.safe_dump({"environments": {"production": production}})

    async def ship(self, serves: str) -> str:
        """Push a version to main, and wait until all that comes of it is over; the SHA."""
        sha = await self.push(serves)
        await self.settle()
        return sha

    async def ship_that(self, does: str) -> str:
        """The same with a version that does something else than serve: `sick`, `exit 3`."""
        sha = await self.push_files({"Dockerfile": f"FROM scratch\nCMD {does}\n"})
        await self.settle()
        return sha

    async def said(self) -> list[str]:
        """The messages of the newest job, without its log's."""
        events = await self.store.jobs.events((await self.jobs())[-1].id)
        return [event.message for event in events if event.type is not EventType.LOG_WRITTEN]

    async def answers_people(self) -> str:
        """What people get."""
        return await answer_of(self.network.url)

    def people(self) -> AbstractAsyncContextManager[Counter[str]]:
        """Those who ask all the time."""
        return people(self.network.url)

    async def count(self, operation: str, **asked: Any) -> int:
        """How many the emulated ECS lists."""
        reply = await self.clients.call("ecs", operation, **asked)
        return len(next(value for name, value in reply.items() if name != "ResponseMetadata"))

    async def made(self) -> tuple[int, int, int]:
        """How many revisions, services and deployments there are."""
        service = f"shipmate-{(await self.jobs())[0].repository.id}-production"
        services = await self.count("ListServices", cluster=self.network.cluster)
        deployments = (
            await self.count("ListServiceDeployments", cluster=self.network.cluster, service=service) if services else 0
        )
        return await self.count("ListTaskDefinitions", familyPrefix=self.network.name), services, deployments


@asynccontextmanager
async def afloat(harbour: AnyHarbour) -> AsyncIterator[AnyHarbour]:
    """The harbour open; its folder is gone at the end."""
    try:
        async with harbour:
            yield harbour
    finally:
        shutil.rmtree(harbour.folder, ignore_errors=True)


def new_folder() -> Path:
    """One with a short name, since sockets stand in it."""
    return Path(tempfile.mkdtemp(prefix="harbour"))
