"""Base images made of this machine's files: that Dockerfiles build and run on them."""

from __future__ import annotations

import pytest

from bot.engines.docker.api import EngineApi
from bot.engines.docker.images import can_pull, image_details
from bot.engines.standin.bases import local_version, make_base
from bot.errors import Permanent, UserMistake
from tests.engines.docker.conftest import REGISTRY, Workshop

pytestmark = pytest.mark.docker


async def test_a_dockerfile_with_an_environment_of_its_own_builds_on_the_python_base(buildkit: Workshop) -> None:
    buildkit.dockerfile(
        "WORKDIR /app",
        "RUN python -m venv /venv",
        "RUN /venv/bin/python -m pip --version && pip3 --version && apt --version || true",
        "RUN useradd 2>/dev/null; ls -la / | grep -q app && sed --version | head -1 && env | sort",
        "USER 10001",
        'CMD ["/venv/bin/python", "-c", "import ssl, sqlite3, ctypes, asyncio, zoneinfo; print(ssl.OPENSSL_VERSION)"]',
    )
    image = await buildkit.build()
    lines = await buildkit.run(
        image, "sh -c 'id -u; /venv/bin/python -c \"import ssl, sqlite3, ctypes; print(6 * 7)\"'"
    )
    assert lines == ["10001", "42"]


async def test_the_base_is_small_and_made_once(api: EngineApi) -> None:
    first = await make_base(api, "python", [f"{REGISTRY}/python:here", f"{REGISTRY}/python:again"])
    details = await image_details(api, f"{REGISTRY}/python:again")
    assert details is not None
    assert details["Id"] == first
    assert details["Size"] < 100_000_000
    assert await make_base(api, "python", []) == first
    assert await can_pull(api, f"{REGISTRY}/python:again")
    await api.ask("DELETE", f"images/{REGISTRY}/python:again")


async def test_node_and_npm_run_on_the_node_base(api: EngineApi, buildkit: Workshop) -> None:
    await make_base(api, "node", [f"{REGISTRY}/node:here"])
    buildkit.write("package.json", '{"name": "app", "version": "1.0.0", "scripts": {"hello": "echo hello from npm"}}')
    buildkit.write(
        "Dockerfile", f"FROM {REGISTRY}/node:here\nWORKDIR /app\nCOPY . .\nRUN npm ci || npm install\nUSER 1000\n"
    )
    lines = await buildkit.run(await buildkit.build(), "sh -c 'node -p process.versions.node; npm run --silent hello'")
    assert lines == [await local_version("node"), "hello from npm"]


async def test_a_base_this_machine_cannot_make_is_named(api: EngineApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Permanent, match="standin_missing"):
        await local_version("node")
    with pytest.raises(UserMistake, match="unknown_base"):
        await make_base(api, "ruby", [])
