"""The demo, as a new user runs it: it ends with 0, shows what happened, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from bot.engines.docker.api import EngineApi
from bot.errors import ShipmateError


async def demo(home: Path, engine: str, *, stay: bool = False) -> tuple[int, str]:
    """`shipmate demo --once`, with nothing in the environment but a path and an empty home.

    To one that is to `stay`, Ctrl-C is pressed once it has shown everything.
    """
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "bot", "demo", "--engine", engine, *([] if stay else ["--once"])),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert running.stdout is not None
    shown = b""
    async with asyncio.timeout(240):
        while line := await running.stdout.readline():
            shown += line
            if b"Ctrl-C ends it" in line:
                running.send_signal(signal.SIGINT)
        code = await running.wait()
    return code, shown.decode()


async def images_of(shown: str) -> list[str]:
    """What is on the engine of the demo that wrote this."""
    found = re.search(r"/shipmate-(\w+)/server.log", shown)
    assert found, shown
    owner, api = f"shipmate-demo-{found[1].lower()}", EngineApi()
    try:
        asked = [{"label": [f"shipmate.builder={owner}"]}, {"reference": [f"{owner}/*"]}]
        listed = [await api.ask("GET", "images/json", params={"filters": json.dumps(one)}) for one in asked]
    finally:
        await api.close()
    return [str(image["RepoTags"]) for images in listed for image in images]


async def engine_answers() -> bool:
    api = EngineApi()
    try:
        await api.ping()
    except ShipmateError:
        return False
    finally:
        await api.close()
    return True


def require_what_a_person_would_see(code: int, shown: str) -> None:
    assert code == 0, shown
    assert "Everything went as it should." in shown
    assert re.search(r"requests meanwhile: [1-9]\d*, failed: 0", shown), shown
    assert "serves: Hello from hello-docker, version 2.0.0" in shown
    assert "No Dockerfile; generated Dockerfile" in shown
    assert "reactions on /deploy: rocket" in shown
    assert "*Locks of acme/hello*" in shown
    assert re.search(r"🟢 v3 · `[0-9a-f]{7}` · since .* · serves", shown), shown
    assert "Traceback" not in shown


@pytest.mark.docker
async def test_the_demo_runs_the_main_job_on_a_docker_engine_and_leaves_nothing_there_when_it_is_interrupted(
    tmp_path: Path,
) -> None:
    if not await engine_answers():
        if os.environ.get("CI") == "true":
            pytest.fail("no Docker engine answers in CI")
        pytest.skip("no Docker engine answers")
    code, shown = await demo(tmp_path, "docker", stay=True)
    require_what_a_person_would_see(code, shown)
    assert await images_of(shown) == []


async def test_the_demo_runs_the_main_job_with_local_processes_where_there_is_no_docker(tmp_path: Path) -> None:
    require_what_a_person_would_see(*await demo(tmp_path, "process"))
