"""The demo, as a new user runs it: it ends with 0, shows what happened, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from bot.engines.docker.api import EngineApi
from bot.errors import ShipmateError


async def demo(home: Path, engine: str) -> tuple[int, str]:
    """`shipmate demo --once`, with nothing in the environment but a path and an empty home."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--once", "--engine", engine),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(running.communicate(), 240)
    return running.returncode or 0, out.decode()


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
async def test_the_demo_runs_the_main_job_on_a_docker_engine(tmp_path: Path) -> None:
    if not await engine_answers():
        if os.environ.get("CI") == "true":
            pytest.fail("no Docker engine answers in CI")
        pytest.skip("no Docker engine answers")
    require_what_a_person_would_see(*await demo(tmp_path, "docker"))


async def test_the_demo_runs_the_main_job_with_local_processes_where_there_is_no_docker(tmp_path: Path) -> None:
    require_what_a_person_would_see(*await demo(tmp_path, "process"))
