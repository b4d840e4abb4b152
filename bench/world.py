"""The house that is measured: a simulated GitHub in this process, the real server in its own, a real Docker engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figure import CannotMeasure
from bot.config import Settings, from_environment
from bot.demo.engine import choose_engine, forget_images
from bot.demo.server import Server, server_environment, serving
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.images import forget_image
from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.sandbox.github.model import CheckRun
from bot.sandbox.sandbox import SAMPLES, Sandbox

SAMPLE = SAMPLES / "hello-docker"
END_LIMIT_S = 60.0
LOOK_S = 0.001


@dataclass(frozen=True, slots=True)
class Pushed:
    """A commit, and when its webhook was sent, in seconds of `time.time`."""

    sha: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class World:
    """What a bench works with. `settings` are the server's own."""

    sandbox: Sandbox
    settings: Settings
    server: Server
    repository: str

    async def push(self, version: str) -> Pushed:
        """Push a new version of the sample to the branch that is deployed."""
        github = self.sandbox.github
        sha = (await github.push(self.repository, branch="main", files={"VERSION": f"{version}\n"})).sha
        delivery = next(one for one in reversed(github.deliveries) if one.event == "push")
        return Pushed(sha, delivery.delivered_at)

    async def reached(self, sha: str, state: Callable[[CheckRun], bool]) -> float:
        """Wait until the commit's check run is as asked; answers when, in seconds of `time.time`."""
        until = time.monotonic() + END_LIMIT_S
        while time.monotonic() < until:
            if any(state(run) for run in self.sandbox.github.check_runs(self.repository, sha)):
                return time.time()
            await asyncio.sleep(LOOK_S)
        raise RuntimeError(f"the check run of {sha} did not come to what was waited for")

    async def ended(self, sha: str) -> float:
        """Wait for the commit's deployment to succeed; answers when. Raises RuntimeError when it ends otherwise."""
        at = await self.reached(sha, lambda run: run.status == "completed")
        [run] = self.sandbox.github.check_runs(self.repository, sha)
        if run.conclusion != "success":
            raise RuntimeError(f"the deployment of {sha} ended: {run.state}: {run.title} {run.summary}")
        return at


@contextmanager
def new_folder() -> Iterator[Path]:
    """For all that a server keeps, while the block lasts; its name marks what the server starts, images too."""
    with tempfile.TemporaryDirectory(prefix="shipmate-bench-") as around:
        folder = Path(around) / f"shipmate-bench-{secrets.token_hex(4)}"  # Docker refuses a name that ends with a `_`
        folder.mkdir()
        yield folder


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A server with one repository whose first version is live. Removes what it made. Raises CannotMeasure."""
    async with _base_registry() as base_registry:
        with new_folder() as folder:
            async with Sandbox(state_dir=folder / "github") as sandbox:
                environment = server_environment(folder, sandbox, owner=folder.name, base_registry=base_registry)
                settings = from_environment(environment)
                repository = f"acme/{folder.name}"
                log = folder / "server.log"
                async with _cleaned_up(settings, repository), serving(environment, log, look_s=LOOK_S) as server:
                    # More pushes a minute than GitHub's secondary limit lets one app answer: that wait is not ours.
                    sandbox.github.limits.settings.secondary = False
                    sandbox.github.webhook_url = f"{server.address}/webhook/github"
                    await sandbox.github.create_repo(repository, files={"README.md": "# hello\n"})
                    here = World(sandbox, settings, server, repository)
                    first = await sandbox.github.push(repository, branch="main", folder=SAMPLE, message="first")
                    await here.ended(first.sha)
                    yield here


def _silent(key: str, /, **facts: str) -> None:
    """Nobody reads what is chosen."""


@asynccontextmanager
async def _base_registry() -> AsyncIterator[str | None]:
    """Where builds find their base images, while the block lasts."""
    owner = f"shipmate-bench-{os.getpid()}"
    try:
        chosen = await choose_engine("docker", owner, _silent)
    except ShipmateError as error:
        raise CannotMeasure(f"No Docker engine can be used ({error}): install and start Docker.") from error
    try:
        yield chosen.base_registry
    finally:
        await forget_images(owner)


@asynccontextmanager
async def _cleaned_up(settings: Settings, repository: str) -> AsyncIterator[None]:
    """Afterwards containers and images of the repository are gone, and the router has ended."""
    try:
        yield
    finally:
        with contextlib.suppress(ShipmateError):
            await RouterClient(settings.router.socket).stop()
        api = EngineApi(EngineAddress(settings.docker_host) if settings.docker_host else None)
        try:
            await _remove_all(api, f"shipmate.repository={repository}")
        finally:
            await api.close()


async def _remove_all(api: EngineApi, label: str) -> None:
    filters = json.dumps({"label": [label]})
    for container in await api.ask("GET", "containers/json", params={"all": True, "filters": filters}):
        await api.ask("DELETE", f"containers/{container['Id']}", params={"force": True, "v": True})
    for image in await api.ask("GET", "images/json", params={"all": True, "filters": filters}):
        await forget_image(api, image["Id"])
