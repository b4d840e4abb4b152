"""The main job, shown: a simulated GitHub and Slack, the real server, real git, real builds, and what each answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
from rich.console import Console

from bot.config import Settings, from_environment
from bot.demo_engine import Chosen, choose_engine
from bot.demo_slack import asked, deploy_from_slack, tie_accounts
from bot.engines.composition import open_engines
from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.sandbox.github.model import CheckRun
from bot.sandbox.sandbox import Sandbox

SAMPLES = Path(__file__).parent / "sandbox" / "samples"
JOB_LIMIT_S = 300.0
READY_LIMIT_S = 30.0
PEOPLE = "alice"


@dataclass
class Shown:
    """What the demo saw, for its summary."""

    links: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the acts of the demo play on."""

    console: Console
    sandbox: Sandbox
    address: str
    http: aiohttp.ClientSession
    shown: Shown
    began: float

    def say(self, who: str, what: str, style: str = "") -> None:
        """One line: seconds since the start, who, what."""
        self.console.print(f"{time.monotonic() - self.began:6.1f} s  {who:<12}", end=" ", style="dim", markup=False)
        self.console.print(what, style=style, markup=False, highlight=False)


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
    try:
        chosen = await choose_engine(engine, lambda text: console.print(text, markup=False))
        async with Sandbox(state_dir=folder / "sandbox") as sandbox, aiohttp.ClientSession() as http:
            environment = _environment(folder, sandbox, chosen, port)
            async with _cleaned_up(environment), _server(environment, folder) as address:
                sandbox.github.webhook_url = f"{address}/webhook/github"
                sandbox.slack.request_url = f"{address}/slack/events"
                stage = Stage(console, sandbox, address, http, Shown(), time.monotonic())
                await _acts(stage)
                _sum_up(stage, folder)
                if not once:
                    console.print("\nStill up; look around. Ctrl-C ends it.", style="bold")
                    await stopped.wait()
                return 1 if stage.shown.wrong else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- the acts -------------------------------------------------------------------------------------------------------


async def _acts(stage: Stage) -> None:
    """A push with a Dockerfile, one without, `/deploy` on a pull request while someone uses the service; then Slack."""
    github = stage.sandbox.github
    first = await _pushed(stage, "acme/hello", "hello-docker")
    second = await _pushed(stage, "acme/notes", "hello-python")
    await _followed(stage, "acme/hello", first)
    await _followed(stage, "acme/notes", second)
    await _deployed_by_comment(stage, "acme/hello")
    await _deployed_from_slack(stage, "acme/hello")
    for repository in ("acme/hello", "acme/notes"):
        for check in github.checks(repository):
            if not check.endswith("success"):
                stage.shown.wrong.append(f"{repository}: {check}")


async def _pushed(stage: Stage, repository: str, sample: str) -> str:
    """Make the repository and push its sample to main; answers the commit."""
    github = stage.sandbox.github
    await github.create_repo(repository, files={"README.md": f"# {repository}\n"})
    github.set_permission(repository, PEOPLE, "write")
    stage.say(repository, f"{PEOPLE} pushes to main", "bold")
    return (await github.push(repository, branch="main", folder=SAMPLES / sample, by=PEOPLE, message="Say hello")).sha


async def _deployed_by_comment(stage: Stage, repository: str) -> None:
    github = stage.sandbox.github
    url = _environment_url(stage, repository)
    version = "2.0.0"
    pushed = await github.push(
        repository, branch="version-2", files={"VERSION": f"{version}\n"}, by=PEOPLE, message="Version 2"
    )
    pull = await github.open_pull(repository, head="version-2", by=PEOPLE, title="Version 2")
    async with _used(stage, url) as usage:
        stage.say(
            repository, f"{PEOPLE} comments /deploy on #{pull.number}; someone uses the service all the while", "bold"
        )
        comment = await github.comment(repository, pull.number, "/deploy", by=PEOPLE)
        await _followed(stage, repository, pushed.sha)
    stage.say(repository, f"requests meanwhile: {usage.answered}, failed: {usage.failed}")
    if usage.failed or not usage.answered:
        stage.shown.wrong.append(f"{usage.failed} of {usage.answered + usage.failed} requests failed during the switch")
    served = await _text(stage, url)
    stage.say(repository, f"{url} serves: {served.splitlines()[0] if served else 'nothing'}")
    if version not in served:
        stage.shown.wrong.append(f"{url} does not serve version {version}")
    await _show_answers(stage, repository, pull.number, comment.id)


async def _deployed_from_slack(stage: Stage, repository: str) -> None:
    """The same from the other face: accounts tied together, a command typed, the thread watched to its end."""
    stage.say("Slack", f"{PEOPLE} types /shipmate link, signs in at GitHub and says yes")
    await tie_accounts(stage.sandbox, PEOPLE, READY_LIMIT_S)
    stage.say("Slack", f"{PEOPLE} types /shipmate deploy {repository} in #deploys", "bold")
    said = await deploy_from_slack(stage.sandbox, repository, lambda line: stage.say("Slack", line), JOB_LIMIT_S)
    stage.say("Slack", f"the message now says: {said}", "green" if said.startswith("🚀") else "red")
    if not said.startswith("🚀"):
        stage.shown.wrong.append(f"Slack says: {said}")
    await _looked_in_slack(stage, repository)


async def _looked_in_slack(stage: Stage, repository: str) -> None:
    """A lock, and the ready-made views of locks and releases."""
    for words in ("lock {} production --reason a look round", "locks {}", "unlock {} production", "releases {}"):
        text = words.format(repository)
        stage.say("Slack", f"{PEOPLE} types /shipmate {text}", "bold")
        for line in filter(None, (await asked(stage.sandbox, text, READY_LIMIT_S)).splitlines()):
            stage.say("Slack", f"to {PEOPLE} alone: {line}")


async def _show_answers(stage: Stage, repository: str, number: int, comment_id: int) -> None:
    """What GitHub shows now: the reaction and the sticky comment."""

    async def reacted() -> bool:
        found = [c for c in stage.sandbox.github.comments(repository, number) if c.id == comment_id]
        return any(reaction.content == "rocket" for comment in found for reaction in comment.reactions)

    await _until(reacted, 20.0, "the reaction on the comment")
    for comment in stage.sandbox.github.comments(repository, number):
        if comment.id == comment_id:
            stage.say(repository, f"reactions on /deploy: {', '.join(r.content for r in comment.reactions)}")
        else:
            lines = [line for line in comment.body.splitlines() if line and not line.startswith("<!--")]
            stage.say(repository, f"comment by {comment.user.login}: {lines[0]}")


async def _followed(stage: Stage, repository: str, sha: str) -> None:
    """Print a job's events as its page streams them, from its check run's own link, until its end."""
    run = await _check_run(stage, repository, sha)
    address = run.details_url or ""
    stage.shown.links.append((f"{repository} {sha[:7]} log", address))
    page, _, query = address.partition("?")
    timeout = aiohttp.ClientTimeout(total=JOB_LIMIT_S)
    async with stage.http.get(f"{page}/events?{query}", timeout=timeout) as reply:
        async for name, data in _events(reply):
            if name == "stage":
                stage.say(repository, data["message"])
            elif name == "done":
                stage.say(repository, data["message"], "green" if data["tone"] == "good" else "red")
                break
    await _until(lambda: _completed(stage, run.id, repository), 30.0, f"the check run of {repository}")


async def _check_run(stage: Stage, repository: str, sha: str) -> CheckRun:
    found: list[CheckRun] = []

    async def there() -> bool:
        found[:] = [run for run in stage.sandbox.github.check_runs(repository, sha) if run.details_url]
        return bool(found)

    await _until(there, 30.0, f"the check run of {repository}")
    stage.say(repository, f"check run “{found[-1].name}” on {sha[:7]}")
    return found[-1]


async def _completed(stage: Stage, run_id: int, repository: str) -> bool:
    deployments = stage.sandbox.github.deployments(repository)
    told = all(d.statuses and d.statuses[-1].state not in {"queued", "in_progress"} for d in deployments)
    return told and any(r.id == run_id and r.status == "completed" for r in stage.sandbox.github.check_runs(repository))


def _environment_url(stage: Stage, repository: str) -> str:
    """What GitHub shows as the environment's address."""
    urls = [s.environment_url for d in stage.sandbox.github.deployments(repository) for s in d.statuses]
    return next((url for url in reversed(urls) if url), "")


def _sum_up(stage: Stage, folder: Path) -> None:
    console, github = stage.console, stage.sandbox.github
    console.print()
    for repository in ("acme/hello", "acme/notes"):
        console.print(f"{repository:<12} serves   {_environment_url(stage, repository)}", markup=False)
    for name, link in stage.shown.links:
        console.print(f"{name:<24} {link}", markup=False, style="dim")
    console.print(f"GitHub (simulated)       {github.url}/_control/state", markup=False)
    console.print(f"Slack (simulated)        {stage.sandbox.slack.base_url}/", markup=False)
    console.print(f"server                   {stage.address}   log {folder / 'server.log'}", markup=False)
    for wrong in stage.shown.wrong:
        console.print(f"wrong: {wrong}", style="red", markup=False)
    if not stage.shown.wrong:
        console.print("Everything went as it should.", style="green")


# --- someone who uses the service -----------------------------------------------------------------------------------


@dataclass
class Usage:
    """Requests that were answered and that failed."""

    answered: int = 0
    failed: int = 0


@asynccontextmanager
async def _used(stage: Stage, url: str) -> AsyncIterator[Usage]:
    """Requests without a pause, while the block lasts."""
    usage = Usage()

    async def hammer() -> None:
        while True:
            try:
                async with stage.http.get(url) as reply:
                    await reply.read()
                    usage.answered += reply.status == 200
                    usage.failed += reply.status != 200
            except aiohttp.ClientError:
                usage.failed += 1

    task = asyncio.create_task(hammer())
    try:
        yield usage
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _text(stage: Stage, url: str) -> str:
    async with stage.http.get(url) as reply:
        return await reply.text()


async def _events(reply: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Server-sent events as (name, data)."""
    name = "message"
    async for raw in reply.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, orjson.loads(line.removeprefix("data: "))


def _written(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


async def _until(holds: Callable[[], Awaitable[bool]], limit_s: float, what: str) -> None:
    try:
        async with asyncio.timeout(limit_s):
            while True:
                if await holds():
                    return
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ShipmateError("demo_waited_in_vain", waited_for=what, limit_s=limit_s) from error


# --- the server -----------------------------------------------------------------------------------------------------


def _environment(folder: Path, sandbox: Sandbox, chosen: Chosen, port: int) -> dict[str, str]:
    """What an ordinary `shipmate serve` is set up with: nothing of this is known to the server in any other way."""
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    given = {
        "HOME": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/shipmate.db",
        "SHIPMATE_WORKDIR": str(folder / "work"),
        "SHIPMATE_ROUTER_DIR": str(folder / "router"),
        "SHIPMATE_SECRET_KEY": os.urandom(32).hex(),
        "SHIPMATE_ENGINE": chosen.engine,
        "SHIPMATE_OWNER": f"shipmate-demo-{folder.name}",
        "PORT": str(port),
    }
    if chosen.base_registry:
        given["SHIPMATE_BASE_REGISTRY"] = chosen.base_registry
    simulated = {name: value for name, value in sandbox.environment().items() if name != "SLACK_APP_TOKEN"}
    return {**kept, **simulated, **given}


@asynccontextmanager
async def _server(environment: dict[str, str], folder: Path) -> AsyncIterator[str]:
    """A real server in a process of its own; answers its address."""
    log = folder / "server.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield await _ready(process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _ready(process: asyncio.subprocess.Process, log: Path) -> str:
    """The address the server says it is ready at."""
    until = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until and process.returncode is None:
        for line in _written(log).splitlines():
            if line.startswith("shipmate is ready: "):
                return line.removeprefix("shipmate is ready: ")
        await asyncio.sleep(0.05)
    raise ShipmateError("server_not_ready", log=_written(log)[-2000:])


@asynccontextmanager
async def _cleaned_up(environment: dict[str, str]) -> AsyncIterator[None]:
    """Afterwards the router is ended, and what was started is removed."""
    settings: Settings = from_environment(environment)
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
