"""`kill -9` of a real server with no Docker engine while CodeBuild builds: the next one follows that very build."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml

from aws.clients import AwsClients
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.model import EventType
from tests.aws.emulator.handle import Emulator
from tests.aws.foundry import BUILDS, builds_of, equip
from tests.aws.network import Network
from tests.aws.people import answer_of
from tests.aws.real_harbour import Ocean, RealHarbour
from tests.fake_engine import dockerfile

NOWHERE = "unix:///nowhere/docker.sock"


class RealFoundry(RealHarbour):
    """A server that reaches no Docker engine; its images are made by CodeBuild."""

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "DOCKER_HOST": NOWHERE}

    def _settings(self) -> str:
        settings = yaml.safe_load(super()._settings())
        settings["environments"]["production"]["ecs"] |= BUILDS
        return yaml.safe_dump(settings)

    async def push_steps(self, words: str, *steps: str) -> str:
        """Push a version in the small language; its SHA."""
        return await self._push({"Dockerfile": dockerfile(words, *steps)})

    def lines(self) -> list[str]:
        """What commands wrote in builds, as the jobs' logs have it."""
        written = "SELECT details FROM events WHERE type = ? ORDER BY job, seq"
        rows = self.ask(written, EventType.LOG_WRITTEN)
        return [line for row in rows for line in json.loads(str(row[0]))["lines"] if line.startswith("#")]


@pytest.fixture
async def foundry(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[RealFoundry]:
    folder = Path(tempfile.mkdtemp(prefix="real"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engine = EngineApi(EngineAddress(NOWHERE))
        stack.push_async_callback(engine.close)
        ocean = Ocean(emulator, clients, network, "")
        foundry = await stack.enter_async_context(RealFoundry(folder, engine, ocean))
        equip(emulator, foundry.github, folder)
        yield foundry


async def test_a_server_that_is_killed_while_codebuild_builds_is_followed_by_one_that_ships_its_image(
    foundry: RealFoundry,
) -> None:
    gate = foundry.folder / "gate"
    sha = await foundry.push_steps("blue", "echo begun", f"until {gate}", "echo ended")
    await foundry.until(lambda: any("begun" in line for line in foundry.lines()), every_s=0.02)
    await foundry.kill()
    gate.touch()
    await foundry.start()
    await foundry.settle()
    assert (foundry.state(sha), foundry.checks(sha)) == ("COMPLETED", ["shipmate / deploy: success"])
    assert await answer_of(foundry.ocean.network.url) == "200 blue"
    assert foundry.lines() == ["#2 0.100 begun", "#4 0.100 ended"]
    assert [build.status for build in await builds_of(foundry.ocean.clients, foundry.owner)] == ["SUCCEEDED"]


async def test_a_server_that_is_killed_before_it_hears_that_a_build_began_starts_no_second_one(
    foundry: RealFoundry,
) -> None:
    sha = await foundry.push_steps("blue")
    await foundry.kill_during("StartBuild")
    await foundry.settle()
    assert foundry.state(sha) == "COMPLETED"
    assert len(await builds_of(foundry.ocean.clients, foundry.owner)) == 1
