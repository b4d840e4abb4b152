"""A world where all but GitHub is real: `shipmate serve` as a process that can be killed, a Docker engine, a router."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp

from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.target import DockerTarget
from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.ports.running import Instance
from bot.sandbox.github.simulator import GitHubSandbox
from tests.engines.docker.conftest import REGISTRY
from tests.patience import ENOUGH_S

REPO = "acme/api"
SERVER = """\
import http.server, os, signal, sys, threading, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
words, dies = sys.argv[1], "dies" in sys.argv
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if dies and "shipmate" not in self.headers["User-Agent"]:
            threading.Timer(0.1, os._exit, (1,)).start()
        self.send_response(200)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words.encode())
    def log_message(self, *_): pass
time.sleep(0.3)
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Answer).serve_forever()
"""
SETTINGS = """\
environments:
  production: {branch: main, checks: 3, drain: 5, health_timeout: 15, release_command: sleep 0.5, memory: 64}
"""
FACES = {"check_run", "deployment"}


def version(words: str, *steps: str, dies: bool = False) -> dict[str, str]:
    """The files of a small application that answers with these words, after these steps of its build."""
    command = ["python", "/app/server.py", words, *(["dies"] if dies else [])]
    lines = ["ARG REGISTRY=nowhere", "FROM ${REGISTRY}/python:here", "COPY server.py /app/server.py"]
    lines += [*(f"RUN {step}" for step in steps), "EXPOSE 8000", f"CMD {command}".replace("'", '"')]
    return {"Dockerfile": "\n".join(lines) + "\n", "server.py": SERVER, ".shipmate.yml": SETTINGS}


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of a job, as the database tells it."""

    type: str
    stage: int | None
    message: str


class RealWorld:
    """A repository `acme/api` whose main branch is production."""

    def __init__(self, folder: Path, engine: EngineApi) -> None:
        self.folder = folder
        self.github = GitHubSandbox(folder / "github")
        self.owner = f"test-{uuid.uuid4().hex[:12]}"
        self.target = DockerTarget(engine, self.owner)
        self.router = RouterClient(folder / "r" / "control.sock")
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.github.start()
        await self.github.create_repo(REPO, files=version("zero"))
        self.github.set_permission(REPO, "alice", "write")
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        with suppress(ShipmateError):
            await self.router.stop()
        with suppress(ShipmateError):
            for instance in await self.target.owned():
                await self.target.remove(instance.id)
        if self.database.exists():
            await self._forget_images()
        await self.github.stop()

    # The server

    async def start(self) -> None:
        """Start the server; returns when it says that it is ready."""
        log = self.folder / "server.log"
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "serve"), env=self._environment(), stdout=out, stderr=out
            )
        ready = "shipmate is ready: "
        await self.until(lambda: ready in log.read_text(encoding="utf-8")[begin:])
        address = log.read_text(encoding="utf-8")[begin:].partition(ready)[2].split()[0]
        self.port = int(address.rpartition(":")[2])
        self.github.webhook_url = f"{address}/webhook/github"

    @property
    def process_id(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """`kill -9` the server."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """Ask the server to end, and wait for it; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 30)

    async def kill_router(self) -> None:
        """`kill -9` both of the router's processes."""
        status = await self.router.status()
        for pid in (status.supervisor_pid, status.pid):
            os.kill(pid, signal.SIGKILL)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
        return {
            **kept,
            **self.github.environment(),
            "HOME": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SHIPMATE_WORKDIR": str(self.folder / "w"),
            "SHIPMATE_ROUTER_DIR": str(self.folder / "r"),
            "SHIPMATE_SECRET_KEY": "k" * 32,
            "SHIPMATE_OWNER": self.owner,
            "SHIPMATE_BASE_REGISTRY": REGISTRY,
            "PORT": str(self.port),
        }

    @property
    def database(self) -> Path:
        """The server's database."""
        return self.folder / "s.db"

    async def _forget_images(self) -> None:
        for row in self.ask("SELECT DISTINCT image FROM releases"):
            with suppress(ShipmateError):
                await self.target.remove_image(str(row[0]))

    # What is done and seen

    async def push(self, words: str, *steps: str, dies: bool = False) -> str:
        """Push a version to production; its SHA."""
        return (await self.github.push(REPO, files=version(words, *steps, dies=dies))).sha

    def ask(self, statement: str, *given: object) -> list[tuple[object, ...]]:
        """Read the server's database beside the server."""
        with closing(self._reader()) as database:
            return database.execute(statement, given).fetchall()

    def _reader(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=1.0)

    def story(self, sha: str) -> list[Moment]:
        """What happened so far to the job of a commit."""
        rows = self.ask(
            """SELECT e.type, e.stage, e.message FROM events e JOIN jobs j ON j.number = e.job
               WHERE j.sha = ? ORDER BY e.seq""",
            sha,
        )
        return [Moment(str(kind), int(str(stage)) if stage else None, str(message)) for kind, stage, message in rows]

    def state(self, sha: str) -> str:
        """Where the job of a commit stands."""
        return "".join(str(row[0]) for row in self.ask("SELECT state FROM jobs WHERE sha = ?", sha))

    async def until(self, seen: Callable[[], object], within_s: float = ENOUGH_S, every_s: float = 0.002) -> None:
        """Return once it is so; fails the test with the end of the server's log when that takes too long."""
        try:
            async with asyncio.timeout(within_s):
                while not seen():  # noqa: ASYNC110 - the server is another process
                    await asyncio.sleep(every_s)
        except TimeoutError:
            raise AssertionError((self.folder / "server.log").read_text(encoding="utf-8")[-4000:]) from None

    async def settle(self) -> None:
        """Return once no delivery, no job and no report is left to do."""
        await self.github.settle()
        await self.until(self._is_quiet, every_s=0.05)

    def _is_quiet(self) -> bool:
        left = self.ask(
            """SELECT (SELECT count(*) FROM deliveries WHERE outcome IS NULL)
                    + (SELECT count(*) FROM jobs WHERE ended_us IS NULL)
                    + (SELECT count(*) FROM reports WHERE behind = 1)"""
        )
        told = {str(row[0]) for row in self.ask("SELECT DISTINCT face FROM reports")}
        return left == [(0,)] and (told >= FACES or not self.ask("SELECT 1 FROM jobs"))

    def checks(self, sha: str) -> list[str]:
        """Check runs in words."""
        return self.github.checks(REPO, sha)

    def told(self, sha: str) -> list[str]:
        """The last status of each deployment of a commit."""
        return [one.state for one in self.github.deployments(REPO) if one.sha == sha]

    def url(self) -> str:
        """The environment URL GitHub shows."""
        shown = [status.environment_url for one in self.github.deployments(REPO) for status in one.statuses]
        return next(url for url in reversed(shown) if url)

    async def serves(self) -> str:
        """What the environment URL answers."""
        async with aiohttp.ClientSession() as session, session.get(self.url()) as reply:
            return (await reply.text()).strip()

    async def until_it_serves(self, words: str, within_s: float) -> None:
        """Return once it answers these words."""
        async with asyncio.timeout(within_s):
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    if await self.serves() == words:
                        return
                await asyncio.sleep(0.02)

    async def instances(self) -> list[Instance]:
        """Every container this server made."""
        return await self.target.owned()

    async def left_over(self) -> list[str]:
        """Containers that no release owns, and those that run without serving, or serve without running."""
        known = {str(name): bool(active) for name, active in self.ask("SELECT instance_id, active FROM releases")}
        left = [one for one in await self.instances() if one.name not in known or one.running != known[one.name]]
        return [f"{one.name} {'runs' if one.running else 'is stopped'}" for one in left]


@asynccontextmanager
async def real_world() -> AsyncIterator[RealWorld]:
    """A world in a folder with a name short enough for a Unix socket, gone at the end with all it made."""
    folder = Path(tempfile.mkdtemp(prefix="real"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engine = EngineApi(EngineAddress(os.environ["DOCKER_HOST"]) if os.environ.get("DOCKER_HOST") else None)
        stack.push_async_callback(engine.close)
        yield await stack.enter_async_context(RealWorld(folder, engine))
