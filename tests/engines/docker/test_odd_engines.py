"""Engines that are old, gone, or hang up: what the builder and the target make of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.builder import DockerBuilder
from bot.engines.docker.facts import describe
from bot.engines.docker.target import DockerTarget
from bot.errors import Permanent, ShipmateError, Transient
from bot.ports.images import BuildRequest, BuiltImage
from tests.engines.docker.conftest import engine_api

IMAGE = f"sha256:{'a' * 64}"


@dataclass
class OddEngine:
    """An engine that answers builds as it is told; it never had BuildKit, or says so when it is asked for it."""

    ping: dict[str, str] = field(default_factory=lambda: {"Api-Version": "1.41", "Ostype": "linux"})
    answer: Sequence[bytes] = (b'{"stream":"Step 1/1 : FROM scratch\\n"}\r\n', b'{"aux":{"ID":"%s"}}' % IMAGE.encode())
    cuts: bool = False
    versions: list[str] = field(default_factory=list)

    async def build(self, request: web.Request) -> web.StreamResponse:
        self.versions.append(request.query["version"])
        await request.read()
        if request.query["version"] == "2":
            return web.json_response({"message": "buildkit is not supported by daemon"}, status=400)
        reply = web.StreamResponse(headers={"Content-Type": "application/json"})
        await reply.prepare(request)
        for part in self.answer:
            await reply.write(part)
        if self.cuts and request.transport is not None:
            request.transport.close()
        return reply

    @contextlib.asynccontextmanager
    async def open(self, socket: Path) -> AsyncIterator[EngineApi]:
        async def ping(request: web.Request) -> web.Response:
            return web.Response(headers=self.ping)

        async def version(request: web.Request) -> web.Response:
            return web.json_response({"ApiVersion": "1.41"})

        app = web.Application()
        app.add_routes([web.get("/_ping", ping), web.get("/version", version), web.post("/v1.41/build", self.build)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        async with engine_api(EngineAddress(f"unix://{socket}")) as api:
            yield api
        await runner.cleanup()


@pytest.fixture
def request_(tmp_path: Path) -> BuildRequest:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return BuildRequest(tmp_path, "Dockerfile", "x:1")


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "e.sock"


async def test_an_engine_that_refuses_buildkit_is_asked_for_its_classic_builder_from_then_on(
    request_: BuildRequest, socket: Path
) -> None:
    engine, log = OddEngine(), list[str]()
    async with engine.open(socket) as api:
        builder = DockerBuilder(api)
        assert await builder.build(request_, log.append) == BuiltImage(IMAGE, "x:1")
        await builder.build(request_, log.append)
    assert engine.versions == ["2", "1", "1"]
    assert log[0] == "Step 1/1 : FROM scratch"


@pytest.mark.parametrize(
    "ping",
    [{"Api-Version": "1.38"}, {"Api-Version": "1.44", "Builder-Version": "1"}, {}],
    ids=["old", "told", "silent"],
)
async def test_an_engine_known_to_have_no_buildkit_is_not_asked_for_it(
    ping: dict[str, str], request_: BuildRequest, socket: Path
) -> None:
    engine = OddEngine(ping=ping)
    async with engine.open(socket) as api:
        await DockerBuilder(api).build(request_, print)
    assert engine.versions == ["1"]


@pytest.mark.parametrize("part", [b'{"stream":"Step', b'{"stream":"Step 1/2 : FROM x\\n"}\r\n'], ids=["half", "whole"])
async def test_a_build_whose_answer_is_cut_off_may_be_tried_again(
    part: bytes, request_: BuildRequest, socket: Path
) -> None:
    async with OddEngine(ping={}, answer=(part,), cuts=True).open(socket) as api:
        with pytest.raises(Transient) as failed:
            await DockerBuilder(api).build(request_, print)
    assert failed.value.code == "engine_unavailable"


async def test_a_build_that_ends_without_an_image_is_a_failure(request_: BuildRequest, socket: Path) -> None:
    async with OddEngine(ping={}, answer=(b'{"stream":"done"}',)).open(socket) as api:
        with pytest.raises(Permanent, match="ended without an image"):
            await DockerBuilder(api).build(request_, print)


async def test_an_engine_that_is_not_there_is_told_apart_from_a_failure(request_: BuildRequest, socket: Path) -> None:
    async with engine_api(EngineAddress(f"unix://{socket}")) as api:
        target, codes = DockerTarget(api, "nobody"), []
        for asked in (DockerBuilder(api).build(request_, print), target.look("x"), target.owned(), describe(api)):
            with pytest.raises(ShipmateError) as failed:
                await asked
            codes.append((type(failed.value), failed.value.code))
    assert codes == [(Transient, "engine_unavailable")] * 4
