"""The main job, shown: a simulated GitHub and Slack, the real server, real git, real builds, and what each answers."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
from rich.console import Console

from bot import messages
from bot.composition.engines import open_engines
from bot.config import Settings, from_environment
from bot.demo.engine import Chosen, choose_engine, forget_images
from bot.demo.github import deployed_by_comment, followed, pushed
from bot.demo.server import END_LIMIT_S, server_environment, serving
from bot.demo.slack import deployed_from_slack
from bot.demo.stage import LOOK_S, Shown, Stage, within
from bot.engines.router.launch import ensure_running
from bot.engines.router.settings import RouterSettings
from bot.errors import ShipmateError
from bot.sandbox.github.page import PATH as GITHUB_PAGE
from bot.sandbox.sandbox import Sandbox

HELLO, NOTES = "acme/hello", "acme/notes"
"""One has a Dockerfile of its own, the other none."""


async def run_demo(*, once: bool, engine: str, port: int) -> int:
    """Play the main job; stay up unless `once`. Returns 0 when every act ended as it should, else 1."""
    console, locale = Console(soft_wrap=True), from_environment().locale
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    playing = asyncio.create_task(_play(console, locale, stopped, once=once, engine=engine, port=port))
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
        reason = messages.failure(locale, error.code, error.facts)
        console.print(messages.say(locale, "demo.stopped", reason=reason), style="red", markup=False)
        return 1


async def _play(console: Console, locale: str, stopped: asyncio.Event, *, once: bool, engine: str, port: int) -> int:
    folder, owner = place_and_owner()
    log = folder / "server.log"
    try:
        chosen = await choose_engine(engine, owner, partial(_tell, console, locale))
        async with Sandbox(state_dir=folder / "sandbox") as sandbox, aiohttp.ClientSession() as http:
            environment = _environment(folder, sandbox, owner, chosen, port) | {"SHIPMATE_LOCALE": locale}
            async with cleaned_up(from_environment(environment)), serving(environment, log) as server:
                sandbox.github.webhook_url = f"{server.address}/webhook/github"
                sandbox.slack.request_url = f"{server.address}/slack/events"
                stage = Stage(console, locale, sandbox, server.address, http, Shown(), time.monotonic())
                await _acts(stage)
                _sum_up(stage, log)
                if not once:
                    console.print(f"\n{stage.words('stays')}", style="bold", markup=False)
                    console.print(stage.words("try", repository=HELLO), markup=False)
                    await stopped.wait()
                return 1 if stage.shown.wrong else 0
    finally:
        if engine != "process":
            await forget_images(owner)
        shutil.rmtree(folder, ignore_errors=True)


def place_and_owner() -> tuple[Path, str]:
    """A new folder nobody else reads, and the name of what is made on an engine, which has to be one of images too."""
    mark = secrets.token_hex(4)
    folder = Path(tempfile.gettempdir()) / f"shipmate-{mark}"
    folder.mkdir(mode=0o700)
    return folder, f"shipmate-demo-{mark}"


def _tell(console: Console, locale: str, key: str, /, **facts: str) -> None:
    console.print(messages.say(locale, f"demo.{key}", **facts), markup=False)


def _environment(folder: Path, sandbox: Sandbox, owner: str, chosen: Chosen, port: int) -> dict[str, str]:
    """Nothing of the demo is known to the server in any other way. Slack reaches it, so it needs no socket."""
    environment = server_environment(folder, sandbox, owner=owner, port=port, base_registry=chosen.base_registry)
    environment.pop("SLACK_APP_TOKEN", None)
    return {**environment, "SHIPMATE_ENGINE": chosen.engine}


@asynccontextmanager
async def cleaned_up(settings: Settings) -> AsyncIterator[None]:
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
            await _end_router(settings.router)


async def _end_router(settings: RouterSettings) -> None:
    """Ask the router that the server started to end, until it has: it may be starting, or be restarting just now."""
    if not settings.state_dir.exists():  # the server never came to starting one
        return
    client = await ensure_running(settings)
    async with within(END_LIMIT_S, "router"):
        while _is_held(settings.state_dir / "router.lock"):
            with contextlib.suppress(ShipmateError):
                await client.stop()
            await asyncio.sleep(LOOK_S)


def _is_held(lock: Path) -> bool:
    """Whether the process that a lock file is about lives."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


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
    tell = partial(_tell, console, stage.locale)
    console.print()
    for repository in (HELLO, NOTES):
        tell("label.serves", repository=f"{repository:<12}", url=stage.environment_url(repository))
    for name, link in stage.shown.links:
        console.print(f"{name:<24} {link}", markup=False, style="dim")
    tell("label.github", url=f"{github.url}{GITHUB_PAGE}")
    tell("label.slack", url=f"{stage.sandbox.slack.base_url}/")
    tell("label.server", url=stage.address, log=str(log))
    for wrong in stage.shown.wrong:
        console.print(stage.words("wrong", what=wrong), style="red", markup=False)
    if not stage.shown.wrong:
        console.print(stage.words("right"), style="green", markup=False)
