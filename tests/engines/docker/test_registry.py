"""Pushes to a real registry, and to ones that refuse or come late."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.images import can_pull, forget_image
from bot.engines.docker.registry import DockerRegistry
from bot.engines.docker.target import DockerTarget
from bot.engines.free_ports import free_port
from bot.engines.local_registry import LocalRegistry
from bot.errors import Permanent, Transient
from bot.ports.images import BuiltImage
from bot.ports.running import InstanceSpec
from tests.engines.docker.conftest import Workshop
from tests.engines.waiting import until_told

pytestmark = pytest.mark.docker

CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextlib.asynccontextmanager
async def open_registry(folder: Path, port: int) -> AsyncIterator[str]:
    """Debian's registry; answers its prefix once it listens."""
    config = folder / f"registry-{port}.yml"
    config.write_text(CONFIG.format(folder=folder / "registry", port=port))
    process = await asyncio.create_subprocess_exec(
        *("docker-registry", "serve", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until_told(listens)
        yield f"127.0.0.1:{port}/team"
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
async def built(buildkit: Workshop) -> BuiltImage:
    buildkit.dockerfile(f"RUN echo {buildkit.owner} > /who")
    return await buildkit.build()


async def test_an_image_is_pushed_and_named_by_its_digest(
    api: EngineApi, built: BuiltImage, target: DockerTarget, spec: InstanceSpec, owner: str, tmp_path: Path
) -> None:
    log, lines = list[str](), list[str]()
    async with open_registry(tmp_path, free_port("127.0.0.1")) as prefix:
        registry = DockerRegistry(api, RegistryAccess(prefix))
        pushed = await registry.push(built, "acme-api", "main-1", log.append)
        assert pushed.uri.startswith(f"{prefix}/acme-api@sha256:")
        assert await registry.push(built, "acme-api", "main-1", log.append) == pushed
        assert any("Pushed" in line for line in log)
        assert not await can_pull(api, f"{prefix}/never:1")
        await forget_image(api, built.id)
        assert await can_pull(api, f"{prefix}/acme-api:main-1")
        once = dataclasses.replace(spec, image=pushed.uri, command="cat /who")
        assert await target.run_once(once, lines.append) == 0
    assert lines == [owner]


async def test_a_registry_that_comes_back_in_time_gets_the_image(
    api: EngineApi, built: BuiltImage, tmp_path: Path
) -> None:
    port, refused = free_port("127.0.0.1"), asyncio.Event()
    registry = DockerRegistry(api, RegistryAccess(f"127.0.0.1:{port}/team"))
    pushing = asyncio.create_task(registry.push(built, "late", "1", lambda line: _note(line, refused)))
    await refused.wait()
    async with open_registry(tmp_path, port):
        assert (await pushing).pushed


def _note(line: str, refused: asyncio.Event) -> None:
    if "trying again" in line:
        refused.set()


async def test_a_registry_that_is_not_there_may_be_tried_later(api: EngineApi, built: BuiltImage) -> None:
    registry = DockerRegistry(api, RegistryAccess(f"127.0.0.1:{free_port('127.0.0.1')}"), first_pause_s=0.01)
    with pytest.raises(Transient, match="registry_unavailable"):
        await registry.push(built, "x", "1", print)


async def test_a_registry_that_refuses_the_user_is_told_apart(api: EngineApi, buildkit: Workshop) -> None:
    buildkit.write("Dockerfile", f"FROM scratch\nENV OWNER={buildkit.owner}\n")
    built = await buildkit.build()
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.json_response(
            {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]},
            status=401,
            headers={"WWW-Authenticate": 'Basic realm="test"', "Docker-Distribution-Api-Version": "registry/2.0"},
        )

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    access = RegistryAccess(f"127.0.0.1:{port}", "someone", "pa55word")
    with pytest.raises(Permanent, match="registry_denied") as failed:
        await DockerRegistry(api, access).push(built, "x", "1", print)
    await runner.cleanup()
    assert "Basic c29tZW9uZTpwYTU1d29yZA==" in asked
    assert "pa55word" not in f"{failed.value} {access!r}"


async def test_an_image_that_is_gone_cannot_be_pushed(api: EngineApi) -> None:
    gone = BuiltImage(f"sha256:{'0' * 64}", "gone:1")
    with pytest.raises(Permanent, match="image_gone"):
        await DockerRegistry(api, RegistryAccess("127.0.0.1:1")).push(gone, "x", "1", print)


async def test_without_a_registry_the_image_stays_where_it_is() -> None:
    pushed = await LocalRegistry().push(BuiltImage("sha256:1", "x:1"), "acme-api", "1", print)
    assert (pushed.uri, pushed.pushed) == ("sha256:1", False)
