"""Both simulators together, in a program and as a command of their own."""

import asyncio
import json
import os
import shlex
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from bot.sandbox.sandbox import SAMPLES, Sandbox, environment_lines, run_sandbox

RUN = "import asyncio; from bot.sandbox.sandbox import run_sandbox; asyncio.run(run_sandbox(0, 0))"


async def test_both_are_started_and_say_what_a_server_needs() -> None:
    async with Sandbox() as sandbox:
        environment = sandbox.environment()
        assert environment["GITHUB_API_URL"] == sandbox.github.url
        assert environment["SLACK_API_URL"] == sandbox.slack.url
        assert {"GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "GITHUB_URL"} <= environment.keys()
        assert {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"} <= environment.keys()


async def test_a_sample_is_loaded_with_its_hidden_files() -> None:
    async with Sandbox() as sandbox:
        await sandbox.github.create_repo("acme/hello-docker", folder=SAMPLES / "hello-docker")
        entries = await sandbox.github.repository("acme/hello-docker").git.tree("main", recursive=True)
        assert {"Dockerfile", "app.py", ".shipmate.yml"} <= {one.path for one in entries}


async def test_the_state_directory_is_used_when_given_and_a_fresh_one_removed(tmp_path: Path) -> None:
    async with Sandbox(tmp_path / "state") as kept, Sandbox() as fresh:
        await kept.github.create_repo("acme/api", files={"a": "b"})
        scratch = fresh.github.hub.root
        assert scratch.is_dir()
    assert list((tmp_path / "state").glob("repositories-*/*.git"))
    assert not scratch.exists()


async def test_a_state_directory_can_be_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        async with Sandbox(tmp_path) as sandbox:
            await sandbox.github.create_repo("acme/api", files={"a": "b"})
            assert await sandbox.github.head("acme/api")


async def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    async with Sandbox() as sandbox:
        taken = int(sandbox.github.url.rpartition(":")[2])
        with pytest.raises(SystemExit, match=f"can't listen on ports {taken} and 0"):
            await run_sandbox(taken, 0)


def test_the_environment_is_printed_as_a_shell_reads_it() -> None:
    line = environment_lines({"KEY": "-----BEGIN-----\nit's\n-----END-----\n"})[0]
    assert shlex.split(line) == ["export", "KEY=-----BEGIN-----\nit's\n-----END-----"]


async def test_the_command_says_where_it_is_serves_and_stops_when_told() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert run.stdout is not None
    url = ""
    while not url:
        line = (await run.stdout.readline()).decode()
        assert line, "it ended before it said where it is"
        url = line.partition("export GITHUB_API_URL=")[2].strip().strip("'")
    said = await asyncio.to_thread(urllib.request.urlopen, f"{url}/_control/environment")
    assert json.loads(said.read())["GITHUB_API_URL"] == url
    said.close()
    run.send_signal(signal.SIGTERM)
    rest = (await run.stdout.read()).decode()
    assert await run.wait() == 0
    assert "# GitHub: " in rest
