"""A world where `shipmate serve` is a process that can be killed, and production a service on the emulated ECS."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aws.clients import AwsClients
from bot.engines.docker.api import EngineApi
from tests.aws.emulator.handle import Emulator
from tests.aws.network import CONTAINER_PORT, Network
from tests.patience import ENOUGH_S
from tests.real_world import REPO, RealWorld, version

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Ocean:
    """What is outside of the server: the emulated AWS, what is laid out in it, and where its images are."""

    emulator: Emulator
    clients: AwsClients
    network: Network
    images: str
    """The host of ECR's data plane."""


class RealHarbour(RealWorld):
    """A repository `acme/api` whose main branch is production, on ECS."""

    def __init__(self, folder: Path, engine: EngineApi, ocean: Ocean) -> None:
        super().__init__(folder, engine)
        self.ocean = ocean

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.ocean.emulator.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SHIPMATE_ECR_HOST": self.ocean.images,
        }

    async def push(self, words: str, *steps: str, dies: bool = False) -> str:
        """Push a version to production; its SHA."""
        return await self._push(version(words, *steps, dies=dies))

    async def push_unwell(self, words: str) -> str:
        """The same with a version that is well to ECS and to people, but not to our checks."""
        files = version(words)
        unwell = 'self.send_response(500 if "shipmate" in self.headers["User-Agent"] else 200)'
        return await self._push({**files, "server.py": files["server.py"].replace("self.send_response(200)", unwell)})

    async def _push(self, files: dict[str, str]) -> str:
        return (await self.github.push(REPO, files={**files, ".shipmate.yml": self._settings()})).sha

    def _settings(self) -> str:
        network = self.ocean.network
        production: dict[str, Any] = {
            "branch": "main",
            "target": "ecs",
            "port": CONTAINER_PORT,
            "checks": 1,
            "env": {"PORT": str(CONTAINER_PORT)},
            "gate": {"requests": 3, "p95_slack_ms": 10_000},
            "ecs": {**network.place(), "family": network.name, "desired_count": 1},
        }
        return yaml.safe_dump({"environments": {"production": production}})

    async def kill_in(self, stages: Sequence[str]) -> None:
        """`kill -9` the server in each of these lifecycle stages; a stage ends once another server is there."""
        emulator = self.ocean.emulator
        for number, stage in enumerate(stages):
            emulator.is_like(lasts_s=dict.fromkeys(stages[number:], ENOUGH_S))
            async with asyncio.timeout(ENOUGH_S):
                while await self.stage() != stage:  # noqa: ASYNC110 - the emulator is another process
                    await asyncio.sleep(0.01)
            await self.kill()
            await self.start()
        emulator.is_like(lasts_s={})

    async def kill_during(self, operation: str) -> None:
        """Have AWS carry a call out and hold its answer back; `kill -9` the server meanwhile, and start another."""
        emulator = self.ocean.emulator
        emulator.goes_wrong({"kind": "cut", "operation": operation, "wait_s": 1.0})
        await self.until(lambda: emulator.fired() == [1], every_s=0.01)
        await self.kill()
        await self.start()

    async def stage(self) -> str:
        """The lifecycle stage of the newest deployment, or its status where that says more."""
        clients, cluster = self.ocean.clients, self.ocean.network.cluster
        listed = await clients.call("ecs", "ListServiceDeployments", cluster=cluster, service=self.service)
        newest = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        told = await clients.call("ecs", "DescribeServiceDeployments", serviceDeploymentArns=[newest])
        found = told["serviceDeployments"][0]
        return str(found["lifecycleStage"] if found["status"] == "IN_PROGRESS" else found["status"])

    @property
    def service(self) -> str:
        """The service's name on ECS."""
        return f"shipmate-{self.github.repository(REPO).id}-production"

    async def made(self) -> tuple[int, int, int]:
        """How many revisions, services and deployments there are."""
        network = self.ocean.network
        revisions = await self._count("ListTaskDefinitions", familyPrefix=network.name)
        services = await self._count("ListServices", cluster=network.cluster)
        deployments = await self._count("ListServiceDeployments", cluster=network.cluster, service=self.service)
        return revisions, services, deployments

    async def _count(self, operation: str, **asked: str) -> int:
        reply = await self.ocean.clients.call("ecs", operation, **asked)
        return len(next(value for name, value in reply.items() if name != "ResponseMetadata"))


@asynccontextmanager
async def real_harbour(ocean: Ocean) -> AsyncIterator[RealHarbour]:
    """A world in a folder of its own, gone at the end with all it made."""
    folder = Path(tempfile.mkdtemp(prefix="real"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engine = EngineApi()
        stack.push_async_callback(engine.close)
        yield await stack.enter_async_context(RealHarbour(folder, engine, ocean))
