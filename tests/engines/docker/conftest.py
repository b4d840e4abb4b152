"""A real engine, a small base image on it, and an owner of its own for each test, so that each tidies up its own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.builder import BUILDKIT, CLASSIC, DockerBuilder
from bot.engines.docker.target import DockerTarget
from bot.engines.standin.bases import make_base
from bot.ports.images import BuildRequest, BuiltImage, LogSink
from bot.ports.running import InstanceSpec

REGISTRY = "shipmate-test"
BASE = f"{REGISTRY}/python:here"
MARK = "shipmate.test"

SERVER = (
    "import http.server, os\n"
    "print('listening', flush=True)\n"
    "http.server.ThreadingHTTPServer(('', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler)"
    ".serve_forever()\n"
)


@asynccontextmanager
async def engine_api(address: EngineAddress | None = None) -> AsyncIterator[EngineApi]:
    api = EngineApi(address)
    try:
        yield api
    finally:
        await api.close()


@pytest.fixture
async def api(base_image: None) -> AsyncIterator[EngineApi]:
    async with engine_api() as api:
        yield api


@pytest.fixture(scope="session")
def base_image(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Many test processes make the base image once: the first one does, under a lock the others wait for."""

    async def make() -> None:
        async with engine_api() as api:
            await make_base(api, "python", [BASE])

    with (tmp_path_factory.getbasetemp().parent / "base-image.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        asyncio.run(make())


@pytest.fixture
def owner() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def target(api: EngineApi, owner: str) -> AsyncIterator[DockerTarget]:
    target = DockerTarget(api, owner)
    yield target
    for instance in await target.owned():
        await target.remove(instance.id)


@pytest.fixture
def spec(owner: str) -> InstanceSpec:
    """A small web server; `dataclasses.replace` makes others of it."""
    return InstanceSpec(
        name=f"{owner}-1",
        image=BASE,
        service="1/production",
        job_id="dep_test",
        port=8080,
        command=f'exec python -c "{SERVER}"',
        memory_mb=128,
    )


@dataclass
class Workshop:
    """Builds from a folder, keeps the log, and forgets what it built."""

    api: EngineApi
    owner: str
    folder: Path
    kind: str
    log: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def dockerfile(self, *lines: str) -> None:
        self.write("Dockerfile", "\n".join(("ARG REGISTRY=nowhere", "FROM ${REGISTRY}/python:here", *lines)) + "\n")

    async def build(self, sink: LogSink | None = None, args: Mapping[str, str] | None = None) -> BuiltImage:
        request = BuildRequest(
            context=self.folder,
            dockerfile="Dockerfile",
            tag=f"{REGISTRY}/built:{self.owner}",
            labels={MARK: self.owner},
            build_args={"REGISTRY": REGISTRY, **(args or {})},
        )
        return await DockerBuilder(self.api, self.kind, self.owner).build(request, sink or self.log.append)

    async def run(self, image: BuiltImage, command: str) -> list[str]:
        """What a command in the image writes."""
        lines: list[str] = []
        spec = InstanceSpec(f"{self.owner}-run", image.id, "1/test", "dep_test", 8080, command=command)
        assert await DockerTarget(self.api, self.owner).run_once(spec, lines.append) == 0, lines
        return lines

    async def forget(self) -> None:
        filters = json.dumps({"label": [f"{MARK}={self.owner}"]})
        for row in await self.api.ask("GET", "images/json", params={"filters": filters}):
            await self.api.ask("DELETE", f"images/{row['Id']}", params={"force": True})


@pytest.fixture(params=[BUILDKIT, CLASSIC], ids=["buildkit", "classic"])
async def workshop(
    request: pytest.FixtureRequest, api: EngineApi, owner: str, tmp_path: Path
) -> AsyncIterator[Workshop]:
    """Both builders of the engine, one after the other."""
    async for made in _opened(api, owner, tmp_path, request.param):
        yield made


@pytest.fixture
async def buildkit(api: EngineApi, owner: str, tmp_path: Path) -> AsyncIterator[Workshop]:
    async for made in _opened(api, owner, tmp_path, BUILDKIT):
        yield made


async def _opened(api: EngineApi, owner: str, tmp_path: Path, kind: str) -> AsyncIterator[Workshop]:
    folder = tmp_path / "context"
    folder.mkdir()
    workshop = Workshop(api, owner, folder, kind)
    yield workshop
    await workshop.forget()
