"""The main job, shown: a simulated GitHub and Slack, the real server, real git, real builds, and what each answers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from rich.console import Console

from bot.composition.engines import open_engines
from bot.config import Settings, from_environment
from bot.demo.engine import Chosen, choose_engine, forget_images
from bot.demo.github import deployed_by_comment, followed, pushed
from bot.demo.server import server_environment, serving
from bot.demo.slack import deployed_from_slack
from bot.demo.stage import Shown, Stage
from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.sandbox.github.page import PATH as GITHUB_PAGE
from bot.sandbox.sandbox import Sandbox

HELLO, NOTES = "acme/hello", "acme/notes"
"""One has a Dockerfile of its own, the other none."""
TRY = """\
In a browser, at GitHub (simulated), say on the pull request: /status, /why, /rollback, /lock production, /deplyo …
and at Slack (simulated): /shipmate deploy acme/hello. As bob, who may only read, see what is refused, and how."""


async def run_demo(*, once: bool, engine: str, port: int) -> int:
    """Play the main job; stay up unless `once`. Returns 0 when every act ended as it should, else 1."""
    console = Console(soft_wrap=True)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    playing = asyncio.create_task(_play(console, stopped, once=once, engine=engine, port=port))
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not playing.done():
        playing.cancel()
    waiting.cancel()
    try:
        return await playing
    except asyncio.CancelledError:
        return 0 if not once else 1
    except ShipmateError as error:
        console.print(f"The demo cannot go on: {error}", style="red", markup=False)
        return 1


async def _play(console: Console, stopped: asyncio.Event, *, once: bool, engine: str, port: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="shipmate-"))
    log, owner = folder / "server.log", f"shipmate-demo-{folder.name.removeprefix('shipmate-').lower()}"
    try:
        chosen = await choose_engine(engine, owner, lambda text: console.print(text, markup=False))
        async with Sandbox(state_dir=folder / "sandbox") as sandbox, aiohttp.ClientSession() as http:
            environment = _environment(folder, sandbox, owner, chosen, port)
            async with _cleaned_up(from_environment(environment)), serving(environment, log) as server:
                sandbox.github.webhook_url = f"{server.address}/webhook/github"
                sandbox.slack.request_url = f"{server.address}/slack/events"
                stage = Stage(console, sandbox, server.address, http, Shown(), time.monotonic())
                await _acts(stage)
                _sum_up(stage, log)
                if not once:
                    console.print("\nStill up; look around. Ctrl-C ends it.", style="bold")
                    console.print(TRY, markup=False)
                    await stopped.wait()
                return 1 if stage.shown.wrong else 0
    finally:
        if engine != "process":
            await forget_images(owner)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, sandbox: Sandbox, owner: str, chosen: Chosen, port: int) -> dict[str, str]:
    """Nothing of the demo is known to the server in any other way. Slack reaches it, so it needs no socket."""
    environment = server_environment(folder, sandbox, owner=owner, port=port, base_registry=chosen.base_registry)
    environment.pop("SLACK_APP_TOKEN", None)
    return {**environment, "SHIPMATE_ENGINE": chosen.engine}


@asynccontextmanager
async def _cleaned_up(settings: Settings) -> AsyncIterator[None]:
    """Afterwards the router is ended, and what was started is removed."""
    try:
        yield
    finally:
        with contextlib.suppress(ShipmateError):
            async with open_engines(settings) as engines:
                for engine in engines.values():
                    for instance in await engine.target.owned():
                        await engine.target.remove(instance.id)
        with contextlib.suppress(ShipmateError):
            await RouterClient(settings.router.socket).stop()


async def _acts(stage: Stage) -> None:
    """A push with a Dockerfile, one without, `/deploy` on a pull request while someone uses the service; then Slack."""
    first = await pushed(stage, HELLO, "hello-docker")
    second = await pushed(stage, NOTES, "hello-python")
    await followed(stage, HELLO, first)
    await followed(stage, NOTES, second)
    await deployed_by_comment(stage, HELLO)
    await deployed_from_slack(stage, HELLO)
    for repository in (HELLO, NOTES):
        bad = [check for check in stage.sandbox.github.checks(repository) if not check.endswith("success")]
        stage.shown.wrong.extend(f"{repository}: {check}" for check in bad)


def _sum_up(stage: Stage, log: Path) -> None:
    console, github = stage.console, stage.sandbox.github
    console.print()
    for repository in (HELLO, NOTES):
        console.print(f"{repository:<12} serves   {stage.environment_url(repository)}", markup=False)
    for name, link in stage.shown.links:
        console.print(f"{name:<24} {link}", markup=False, style="dim")
    console.print(f"GitHub (simulated)       {github.url}{GITHUB_PAGE}", markup=False)
    console.print(f"Slack (simulated)        {stage.sandbox.slack.base_url}/", markup=False)
    console.print(f"server                   {stage.address}   log {log}", markup=False)
    for wrong in stage.shown.wrong:
        console.print(f"wrong: {wrong}", style="red", markup=False)
    if not stage.shown.wrong:
        console.print("Everything went as it should.", style="green")
