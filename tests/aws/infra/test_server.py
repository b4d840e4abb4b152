"""The server that the template describes: it starts with the variables it is given there, where no Docker engine is."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.sandbox.github.simulator import GitHubSandbox
from tests.aws.emulator.handle import Emulator
from tests.aws.infra.template import filled, properties
from tests.patience import ENOUGH_S

READY = "shipmate is ready: "


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    """Short enough for the router's socket; the router, which outlives a server, is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="infra"))
    yield folder
    with suppress(ShipmateError):
        await RouterClient(folder / "r" / "control.sock").stop()
    shutil.rmtree(folder, ignore_errors=True)


async def test_the_server_starts_as_the_template_has_it_and_answers_the_balancer(
    emulator: Emulator, folder: Path
) -> None:
    github = GitHubSandbox(folder / "github")
    await github.start()
    async with _server(_given(github, emulator, folder)) as address, aiohttp.ClientSession() as session:
        async with session.get(address + properties("ServerTargets")["HealthCheckPath"]) as reply:
            assert str(reply.status) == properties("ServerTargets")["Matcher"]["HttpCode"]
        async with session.post(f"{address}/webhook/github", data=b"{}") as reply:
            assert reply.status == 401
    await github.stop()


def _given(github: GitHubSandbox, emulator: Emulator, folder: Path) -> dict[str, str]:
    """What the template and the image give, with GitHub and AWS where the tests have them."""
    known = github.environment()
    values = {
        "DomainName": "shipmate.example.com",
        "GitHubAppId": known["GITHUB_APP_ID"],
        "Owner": "shipmate",
        "Locale": "en",
        "AWS::Region": "us-east-1",
    }
    container = properties("ServerDefinition")["ContainerDefinitions"][0]
    plain = {one["Name"]: _value(one["Value"], values) for one in container["Environment"] if "Name" in one}
    secret = {"SHIPMATE_SECRET_KEY": "k" * 32, **{name: known[name] for name in known if name.startswith("GITHUB_")}}
    sealed = {one["Name"]: secret[one["Name"]] for one in container["Secrets"] if "Name" in one}
    image = {
        "HOST": "127.0.0.1",
        "PORT": "0",
        "SHIPMATE_WORKDIR": str(folder / "disk"),
        "DATABASE_URL": f"sqlite:///{folder / 'disk' / 'shipmate.db'}",
    }
    here = {
        "SHIPMATE_ROUTER_DIR": str(folder / "r"),
        "GITHUB_API_URL": github.url,
        "GITHUB_URL": github.url,
        "AWS_ENDPOINT_URL": emulator.url,
        "DOCKER_HOST": f"unix://{folder}/nowhere.sock",
        "PATH": os.defpath,
    }
    return {**image, **plain, **sealed, **here}


def _value(given: Any, values: dict[str, str]) -> str:
    if isinstance(given, str):
        return given
    return values[given["Ref"]] if "Ref" in given else str(filled(given["Fn::Sub"], **values))


@asynccontextmanager
async def _server(environment: dict[str, str]) -> AsyncIterator[str]:
    """Its address once it says that it is ready; it ends by SIGTERM, as ECS ends it."""
    command = properties("ServerDefinition")["ContainerDefinitions"][0]["Command"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *command[1:]), env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(ENOUGH_S):
            while READY not in (line := (await process.stderr.readline()).decode()):
                assert line, "it ended before it was ready"
        yield line.partition(READY)[2].strip()
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
