"""The fake world of the scenarios: a simulated GitHub, the whole server in this process, an engine in memory."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.composition.house import BotLogin, House, link_key
from bot.composition.upkeep import rounds
from bot.composition.web import web_application
from bot.composition.work import Loop, faces, worker_loops
from bot.config import Settings, from_environment, require_github
from bot.github.api import open_github
from bot.github.client.patience import Patience
from bot.links import Links
from bot.masking import Masker
from bot.model import UNFINISHED, Job
from bot.process.metrics import Metrics
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.model import CheckRun, Comment, Deployment
from bot.sandbox.github.people import Opened, Said
from bot.sandbox.github.simulator import GitHubSandbox
from bot.store.jobs import JobFilter
from bot.store.store import Store
from storage.opened import open_store
from tests.fake_engine import FakeEngine, dockerfile
from tests.migrated import put_database
from tests.mortal import Life, mortal_engine, mortal_store
from tests.patience import ENOUGH_S
from tests.quiet import Quiet

REPO = "acme/api"
PATIENCE = Patience(tries=3, timeout_s=0.5, first_pause_s=0.01, longest_pause_s=0.02, longest_wait_s=2.0)
"""Short, so that what GitHub does to us costs a test no time."""
SETTINGS = """\
environments:
  production: {branch: main, checks: 1, health_timeout: 5}
  staging: {branch: staging, checks: 1, health_timeout: 5}
"""
_generation = itertools.count(1)


class World:
    """A repository `acme/api` where alice may write and bob may read, and the server that looks after it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.github = GitHubSandbox(folder / "github")
        self.engine = FakeEngine()
        self.masker = Masker()
        self.address = ""
        self.patience = PATIENCE
        self.life = Life()
        self._name = ""
        self._environment = environment
        self._house: House | None = None
        self._running = AsyncExitStack()
        self._loops: dict[Loop, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self.github.start()
        await self.github.create_repo(REPO, files={"Dockerfile": dockerfile("zero"), ".shipmate.yml": SETTINGS})
        self.github.set_permission(REPO, "alice", "write")
        self.github.set_permission(REPO, "bob", "read")
        put_database(self.database)
        self._quiet = Quiet(self.database)
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.abandon()
        self._quiet.close()
        self.engine.close()
        await self.github.stop()

    # The server

    async def start(self) -> None:
        """Start the server on a free port."""
        stack = AsyncExitStack()
        self._running = stack
        self.life = Life()
        house = self._house = await self._opened(stack)
        runner = web.AppRunner(web_application(house), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", house.settings.port)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.github.webhook_url = f"{self.address}/webhook/github"
        self._loops = {loop: asyncio.create_task(_run(loop), name=loop.name) for loop in worker_loops(house)}

    async def stop(self) -> None:
        """Stop the server as SIGTERM does; a loop that broke fails the test."""
        for loop in self._loops:
            loop.stop()
        await asyncio.gather(*self._loops.values())
        await self.abandon()

    async def abandon(self) -> None:
        """End the server without asking it."""
        self.life.bury()
        for task in self._loops.values():
            task.cancel()
        await asyncio.gather(*self._loops.values(), return_exceptions=True)
        await self._running.aclose()
        self._house = None

    async def restart_when_it_dies(self, work: Coroutine[Any, Any, object] | None = None) -> bool:
        """Wait for the fatal step, and start another server then; False when all, or the `work`, was done before."""
        over = asyncio.create_task(self.life.over.wait())
        done = asyncio.create_task(work or self.settle())
        await asyncio.wait({over, done}, return_when=asyncio.FIRST_COMPLETED)
        died = self.life.over.is_set()
        for task in (over, done):
            task.cancel()
        await asyncio.gather(over, done, return_exceptions=True)
        if died:
            await self.abandon()
            await self.start()
        return died

    @asynccontextmanager
    async def another_server(self) -> AsyncIterator[str]:
        """A second server over the same database, engine and GitHub; its address."""
        async with AsyncExitStack() as stack:
            first, self._name = self._name, ""
            house = await self._opened(stack)
            self._name = first
            runner = web.AppRunner(web_application(house), access_log=None, shutdown_timeout=0.5)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", house.settings.port).start()
            loops = worker_loops(house)
            tasks = [asyncio.create_task(_run(loop), name=f"second {loop.name}") for loop in loops]
            try:
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                for loop in loops:
                    loop.stop()
                await asyncio.gather(*tasks)

    async def _opened(self, stack: AsyncExitStack) -> House:
        settings = self.settings()
        github = require_github(settings)
        opened = await open_store(settings.database_url, secret_key=settings.secret_key, busy_timeout_s=0.3)
        stack.push_async_callback(opened.close)
        client = await stack.enter_async_context(
            open_github(
                github.app_id,
                github.private_key,
                self.masker.register,
                api_url=github.api_url,
                patience=self.patience,
            )
        )
        links = Links(settings.public_url, link_key(settings))
        engines = {"docker": mortal_engine(self.engine.as_engine(), self.life)}
        mortal = replace(opened, store=mortal_store(opened.store, self.life))
        await opened.store.jobs.lapse(self._name)
        self._name = f"world:{next(_generation)}:1"
        return House(settings, self.masker, Metrics(), mortal, client, engines, links, BotLogin(client), self._name)

    def settings(self) -> Settings:
        """The server's settings: all its files are in the world's folder."""
        given = {
            **self.github.environment(),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SHIPMATE_WORKDIR": str(self.folder / "work"),
            "SHIPMATE_SECRET_KEY": "k" * 32,
            "PORT": "0",
            **self._environment,
        }
        return replace(from_environment(given), public_url="http://shipmate.test")

    @property
    def database(self) -> Path:
        """The server's database."""
        return self.folder / "shipmate.db"

    @property
    def house(self) -> House:
        """What the running server holds."""
        assert self._house is not None, "the server does not run"
        return self._house

    @property
    def store(self) -> Store:
        """What the running server remembers."""
        return self.house.opened.store

    async def make_the_rounds(self) -> None:
        """Everything that is looked at again and again, once, now."""
        for one in rounds(self.house).rounds:
            await one.look()

    # What people do

    async def push(self, serves: str, *steps: str, branch: str = "main", by: str = "alice") -> str:
        """Push a version that serves these words; its SHA."""
        files = {"Dockerfile": dockerfile(serves, *steps)}
        return (await self.github.push(REPO, branch=branch, files=files, by=by)).sha

    async def push_files(self, files: dict[str, str], branch: str = "main", by: str = "alice") -> str:
        """Push any files; the SHA."""
        return (await self.github.push(REPO, branch=branch, files=files, by=by)).sha

    async def open_pull(self, serves: str, *steps: str, branch: str = "feature", by: str = "alice") -> Opened:
        """A pull request with a version that serves these words."""
        await self.push(serves, *steps, branch=branch, by=by)
        opened = await self.github.open_pull(REPO, head=branch, by=by)
        await self.settle()
        return opened

    async def comment(self, number: int, body: str, by: str = "alice") -> Said:
        """Say something on a pull request or an issue."""
        return await self.github.comment(REPO, number, body, by=by)

    async def say(self, number: int, body: str, by: str = "alice") -> Said:
        """Say something, and wait until all that comes of it is over."""
        said = await self.comment(number, body, by)
        await self.settle()
        return said

    async def redeliver(self, delivery: Delivery | None, times: int = 1) -> None:
        """Send a delivery again."""
        assert delivery is not None
        await self.github.redeliver(delivery.id, times)

    # What is seen of it

    async def settle(self) -> None:
        """Return once nothing is due: no delivery, no job that is not held, no report, no answer.

        Seen twice, and between that a turn of the writer: whoever waited for the last commit has gone on by then.
        """
        names, quiet = [face.name for face in faces(self.house)], 0
        async with asyncio.timeout(ENOUGH_S):
            while quiet < 2:
                await self.github.settle()
                quiet = quiet + 1 if self._quiet.is_quiet(names) else 0
                await (self.house.opened.database.write(lambda _: None) if quiet else asyncio.sleep(0.01))

    async def unfinished(self) -> list[Job]:
        """Jobs that have not ended."""
        return await self.store.jobs.find(JobFilter(states=UNFINISHED))

    async def jobs(self) -> list[Job]:
        """Every job, oldest first."""
        return (await self.store.jobs.find(JobFilter(limit=500)))[::-1]

    async def states(self) -> list[str]:
        """The jobs' states, oldest first."""
        return [job.state.value for job in await self.jobs()]

    async def outcomes(self, event: str) -> list[str]:
        """What became of the deliveries of an event, oldest first: `acted deploy_asked`."""
        rows = await self.store.deliveries.recent(1000)
        return [f"{row.outcome} {row.reason}" for row in rows[::-1] if row.event == event]

    def checks(self, sha: str | None = None) -> list[str]:
        """Check runs in words, oldest first: `shipmate / deploy: success`."""
        return self.github.checks(REPO, sha)

    def check_run(self, sha: str | None = None) -> CheckRun:
        """The only check run."""
        (run,) = self.github.check_runs(REPO, sha)
        return run

    def answers(self, number: int) -> list[Comment]:
        """Our own comments there, oldest first."""
        login = self.github.hub.world.app.bot.login
        return [one for one in self.github.comments(REPO, number) if one.user.login == login]

    def answer(self, number: int) -> str:
        """The text of our only comment there."""
        (comment,) = self.answers(number)
        return comment.body

    def reactions(self, said: Said) -> list[str]:
        """The emoji on a comment."""
        return self.github.reactions(REPO, said.id)

    def deployments(self, environment: str | None = None) -> list[Deployment]:
        """GitHub deployments, oldest first."""
        return self.github.deployments(REPO, environment)

    def told(self, environment: str | None = None) -> list[str]:
        """The last status of each deployment, oldest first."""
        return [one.state for one in self.deployments(environment)]

    def url(self, environment: str = "production") -> str:
        """The environment URL GitHub shows."""
        shown = [status.environment_url for one in self.deployments(environment) for status in one.statuses]
        return next(url for url in reversed(shown) if url)

    async def serves(self, environment: str = "production") -> str:
        """What the environment URL answers."""
        async with aiohttp.ClientSession() as session, session.get(self.url(environment)) as reply:
            return await reply.text() if reply.status == 200 else f"status {reply.status}"

    async def until(self, seen: Callable[[], object], within_s: float = ENOUGH_S) -> None:
        """Return once it is so; fails the test when that takes too long."""
        async with asyncio.timeout(within_s):
            while not seen():  # noqa: ASYNC110 - nobody here could set an event
                await asyncio.sleep(0.005)

    async def until_state(self, *states: str, within_s: float = ENOUGH_S) -> Job:
        """The newest job, once it is in one of these states."""
        async with asyncio.timeout(within_s):
            while True:
                jobs = await self.jobs()
                if jobs and jobs[-1].state.value in states:
                    return jobs[-1]
                await asyncio.sleep(0.005)

    async def until_it_builds(self, within_s: float = ENOUGH_S) -> None:
        """Return once an image is being built; fails the test when that takes too long."""
        await asyncio.wait_for(self.engine.building.wait(), within_s)

    def everything_written(self) -> str:
        """All that GitHub shows and all that the database holds, to look for what must not be there."""
        shown = [f"{one.title} {one.summary} {one.text} {one.annotations}" for one in self.github.check_runs(REPO)]
        shown += [one.body for one in self.github.comments(REPO)]
        shown += [f"{status}" for one in self.deployments() for status in one.statuses]
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            shown += list(database.iterdump())
        return "\n".join(shown)


async def _run(loop: Loop) -> None:
    await loop.run()


@asynccontextmanager
async def new_world(**environment: str) -> AsyncIterator[World]:
    """A world in a folder with a short name, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="world"))
    try:
        async with World(folder, **environment) as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)
