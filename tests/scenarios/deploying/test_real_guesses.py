"""A repository without a Dockerfile on a real engine: a wrong guess says its remedy, and the remedy works."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.engines.docker.api import EngineAddress, EngineApi
from tests import standin_bases
from tests.real_world import REPO, RealWorld

pytestmark = pytest.mark.docker

SERVER = """\
import http.server

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"guessed right")

nine_thousand = 3 * 3000
http.server.HTTPServer(("", nine_thousand), Answer).serve_forever()
"""
ENVIRONMENTS = "environments:\n  production: {branch: main, checks: 1, health_timeout: 4, memory: 64}\n"
APPLICATION = {"main.py": SERVER, "requirements.txt": "", ".python-version": "3.13\n", ".shipmate.yml": ENVIRONMENTS}


class GuessingWorld(RealWorld):
    """Generated Dockerfiles take the stand-ins of the official images."""

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "SHIPMATE_BASE_REGISTRY": standin_bases.REGISTRY}

    async def summary(self, files: dict[str, str]) -> str:
        """What the check run of a push of these files says in the end."""
        sha = (await self.github.push(REPO, files={**files, "Dockerfile": None})).sha
        await self.settle()
        (run,) = [run for run in self.github.check_runs(REPO) if run.head_sha == sha]
        return run.summary or ""


@pytest.fixture
async def guessing() -> AsyncIterator[GuessingWorld]:
    standin_bases.ensure("python")
    folder = Path(tempfile.mkdtemp(prefix="real"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        engine = EngineApi(EngineAddress(os.environ["DOCKER_HOST"]) if os.environ.get("DOCKER_HOST") else None)
        stack.push_async_callback(engine.close)
        yield await stack.enter_async_context(GuessingWorld(folder, engine))


async def test_a_wrong_port_is_told_and_the_named_setting_mends_it(guessing: GuessingWorld) -> None:
    told = await guessing.summary({**APPLICATION, "Procfile": "web: python main.py\n"})
    assert "did not pass its health check" in told
    assert "`8080` was read from `Procfile`; if that is wrong, set `build.port` in `.shipmate.yml`" in told
    told = await guessing.summary({".shipmate.yml": ENVIRONMENTS + "build: {port: 9000}\n"})
    assert "Deployed to production" in told
    assert await guessing.serves() == "guessed right"


async def test_a_wrong_start_is_told_and_the_named_setting_mends_it(guessing: GuessingWorld) -> None:
    told = await guessing.summary({**APPLICATION, "Procfile": "web: python nowhere.py\n"})
    assert "ended with exit code 2" in told
    assert "`python nowhere.py` was read from `Procfile:1`; if that is wrong, set `build.start`" in told
    settings = ENVIRONMENTS + "build: {start: python main.py, port: 9000}\n"
    assert "Deployed to production" in await guessing.summary({".shipmate.yml": settings})
    assert await guessing.serves() == "guessed right"


async def test_an_install_that_fails_names_its_setting(guessing: GuessingWorld) -> None:
    told = await guessing.summary({**APPLICATION, "requirements.txt": "./no-such-folder\n", "Procfile": "web: x\n"})
    assert "pip install" in told
    assert "set `build.install` in `.shipmate.yml`" in told
