"""The demo, as a new user runs it: it ends with 0, shows what happened, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from bot import messages
from bot.config import from_environment
from bot.demo.show import cleaned_up, place_and_owner
from bot.demo.stage import found
from bot.engines.docker.api import EngineApi
from bot.engines.router.launch import ensure_running
from bot.errors import ShipmateError
from bot.wording import english


async def demo(home: Path, engine: str, *, stay: bool = False, **more: str) -> tuple[int, str]:
    """`shipmate demo --once`, with nothing in the environment but a path, an empty home and what is `more`.

    To one that is to `stay`, Ctrl-C is pressed once it has shown everything.
    """
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **more}
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
    place = re.search(r"/shipmate-(\w+)/server.log", shown)
    assert place, shown
    owner, api = f"shipmate-demo-{place[1]}", EngineApi()
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


async def test_the_demo_and_all_that_it_shows_are_korean_where_that_is_set(tmp_path: Path) -> None:
    code, shown = await demo(tmp_path, "process", SHIPMATE_LOCALE="ko")
    assert code == 0, shown
    assert messages.say("ko", "demo.right") in shown
    assert messages.say("ko", "stage.1") in shown, "the server speaks it too"
    spoken = [words for key, words in english.SENTENCES.items() if key.startswith(("demo.", "stage.", "released."))]
    plain = [words for words in spoken if "{" not in words and " " in words]
    assert [words for words in plain if words in shown] == []


def test_what_the_demo_makes_on_an_engine_has_a_name_that_docker_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places = [place_and_owner() for _ in range(300)]
    part = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"  # https://pkg.go.dev/github.com/distribution/reference
    assert [owner for _, owner in places if not re.fullmatch(part, owner)] == []
    assert all(folder.stat().st_mode & 0o077 == 0 for folder, _ in places)


def processes_that_name(text: str) -> list[str]:
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in commands if text in line]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for in /proc")
async def test_a_router_that_is_only_just_starting_when_the_demo_is_interrupted_is_ended_too() -> None:
    with tempfile.TemporaryDirectory(prefix="d") as folder:  # a socket's path is short
        places = {name: f"{folder}/{name}" for name in ("SHIPMATE_WORKDIR", "SHIPMATE_ROUTER_DIR")}
        settings = from_environment({"SHIPMATE_ENGINE": "process", "SHIPMATE_OWNER": "shipmate-demo-test", **places})
        async with cleaned_up(settings):
            starting = asyncio.create_task(ensure_running(settings.router))
            await found(lambda: processes_that_name(folder) or None, 15, "the router")
            starting.cancel()
        await found(lambda: None if processes_that_name(folder) else True, 15, "the router's end")


async def test_a_language_nobody_speaks_is_told_before_anything_is_done(tmp_path: Path) -> None:
    code, shown = await demo(tmp_path, "process", SHIPMATE_LOCALE="fr")
    assert code == 2
    assert "SHIPMATE_LOCALE" in shown
    assert "Traceback" not in shown
