"""The shell as a person uses it: what works, what is said when it does not, and with which exit code."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner, Result

from bot.cli import cli
from bot.config import from_environment
from bot.engines.router.client import RouterClient
from bot.errors import ShipmateError
from bot.sandbox.sandbox import Sandbox

SAMPLES = Path(__file__).parents[1] / "bot" / "sandbox" / "samples"


@pytest.fixture
def home() -> Iterator[Path]:
    """A short folder: the router's socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="sm-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def shell(home: Path, *words: str, said: str | None = None, **env: str) -> Result:
    given = {"DATABASE_URL": f"sqlite:///{home}/s.db", "SHIPMATE_WORKDIR": str(home / "w"), **env}
    return CliRunner().invoke(cli, list(words), input=said, env=given)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fly",), "No such command"),
        (("serve", "--fast"), "No such option"),
        (("deliveries", "replay"), "Missing argument"),
        (("inspect",), "Give a folder or a URL"),
        (("secrets", "set", "api", "TOKEN"), "'api' is not of the form owner/name"),
        (("secrets", "list", "acme/api/web"), "'acme/api/web' is not of the form owner/name"),
        (("secrets", "remove", "/api", "TOKEN"), "'/api' is not of the form owner/name"),
        (("sandbox", "--github-port", "70000"), "70000"),
        (("demo", "--engine", "podman"), "podman"),
        (("demo", "--port", "99999"), "99999"),
    ],
)
def test_a_wrong_word_is_answered_with_a_sentence_and_2(home: Path, words: tuple[str, ...], sentence: str) -> None:
    result = shell(home, *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "group", ["", "audit", "aws", "connections", "connections add", "deliveries", "keys", "secrets"]
)
def test_the_help_says_what_each_command_is_for_in_a_whole_sentence(home: Path, group: str) -> None:
    result = shell(home, *group.split(), "--help")
    assert result.exit_code == 0
    assert "..." not in result.output.replace("[ARGS]...", "")


@pytest.mark.parametrize("words", [("--help",), ("analyze", "."), ("inspect", "."), ("router", "--help")])
def test_a_command_begins_at_once_for_it_loads_nothing_of_the_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    heavy = {"aiohttp", "aiodocker", "boto3", "slack_bolt"}
    program = f"""
import atexit, sys
from bot.cli import cli
atexit.register(lambda: print("loaded:", *sorted({heavy!r} & set(sys.modules)), file=sys.stderr))
cli({words!r})
"""
    env = {**os.environ, "PYTHONPATH": str(SAMPLES.parents[2])}
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert ran.stderr.decode().splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("words", [("--version",), ("inspect", "--json", str(SAMPLES / "hello-python"))])
def test_an_answer_that_cannot_be_written_is_no_success(words: tuple[str, ...]) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    asked = [sys.executable, "-m", "bot", *words]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(asked, cwd=SAMPLES.parents[2], env=env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"Error: No space left on device.\n")


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({}, "GITHUB_APP_ID is not set"),
        ({"GITHUB_APP_ID": "1"}, "GITHUB_WEBHOOK_SECRET is not set"),
        ({"GITHUB_APP_ID": "1", "GITHUB_WEBHOOK_SECRET": " , "}, "GITHUB_WEBHOOK_SECRET is not set"),
        ({"GITHUB_APP_ID": "1", "GITHUB_WEBHOOK_SECRET": "x"}, "GITHUB_PRIVATE_KEY is not set"),
        ({"GITHUB_APP_ID": "1", "GITHUB_PRIVATE_KEY_PATH": "/nowhere/key.pem"}, "cannot be read"),
        ({"GITHUB_APP_ID": "1", "GITHUB_WEBHOOK_SECRET": "x", "GITHUB_PRIVATE_KEY": "-----BEGIN x"}, "RSA"),
        ({"PORT": "eighty"}, "PORT is 'eighty'"),
        ({"PORT": "70000"}, "PORT is 70000"),
        ({"SHIPMATE_LOCALE": "fr"}, "en, ko"),
        ({"SHIPMATE_ROUTER_PORTS": "9-1"}, "20000-20999"),
        ({"GITHUB_APP_ID": "1", "GITHUB_API_URL": "ftp://x"}, "http or https"),
    ],
)
def test_a_server_with_a_bad_setting_refuses_to_start_and_names_it(
    home: Path, env: dict[str, str], sentence: str
) -> None:
    result = shell(home, "serve", **{"GITHUB_APP_ID": "", "PORT": "0", **env})
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


@pytest.mark.parametrize("words", [("migrate",), ("keys", "list"), ("audit", "verify")])
def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(home: Path, words: tuple[str, ...]) -> None:
    (home / "file").write_text("in the way")
    result = shell(home, *words, DATABASE_URL=f"sqlite:///{home}/file/s.db")
    assert (result.exit_code, str(home / "file") in result.output, result.output.count("\n")) == (1, True, 1)
    assert isinstance(result.exception, SystemExit)


def test_a_port_that_is_taken_is_told_in_one_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = shell(home, "sandbox", "--github-port", str(taken.getsockname()[1]))
    assert (result.exit_code, "address already in use" in result.output) == (1, True), result.output
    assert isinstance(result.exception, SystemExit)


def test_a_setting_that_is_set_to_nothing_counts_as_not_set() -> None:
    blank = {"DATABASE_URL": "", "HOST": "", "PORT": "", "SHIPMATE_WORKDIR": "", "SHIPMATE_OWNER": "shipmate-test"}
    assert from_environment(blank) == from_environment({"SHIPMATE_OWNER": "shipmate-test"})


def test_keys_are_made_listed_and_revoked_and_shown_only_once(home: Path) -> None:
    made = shell(home, "keys", "create", "ci")
    key = made.output.splitlines()[-1]
    listed = shell(home, "keys", "list", "--json")
    (record,) = json.loads(listed.output)
    assert (record["name"], record["revoked"]) == ("ci", False)
    assert key not in listed.output
    assert shell(home, "keys", "revoke", record["id"]).exit_code == 0
    assert json.loads(shell(home, "keys", "list", "--json").output)[0]["revoked"] is True
    assert shell(home, "keys", "revoke", "nothing").exit_code == 2


def test_a_key_can_be_limited_to_repositories_and_the_trail_says_to_which(home: Path) -> None:
    shell(home, "keys", "create", "ci", "--for", "Acme/api, example/*")
    (record,) = json.loads(shell(home, "keys", "list", "--json").output)
    assert record["repositories"] == ["acme/api", "example/*"]
    assert "acme/api,example/*" in shell(home, "keys", "list").output
    assert "ci for Acme/api,example/*" in shell(home, "audit", "export").stdout


@pytest.mark.parametrize("limits", ["", ",", "acme", "*", "*/api", "acme/api/x", "acme/..", "acme/a*"])
def test_a_key_whose_limits_make_no_sense_is_not_made(home: Path, limits: str) -> None:
    assert shell(home, "keys", "create", "ci", "--for", limits).exit_code == 2
    assert json.loads(shell(home, "keys", "list", "--json").output) == []


def test_what_looks_like_a_token_does_not_stand_in_the_trail_of_the_shell(home: Path) -> None:
    token = "ghp_" + "a1B2" * 9
    shell(home, "keys", "create", token)
    exported = shell(home, "audit", "export").stdout
    assert "keys create" in exported
    assert token not in exported


def test_secrets_are_set_from_standard_input_and_listed_by_name_only(home: Path) -> None:
    env = {"SHIPMATE_SECRET_KEY": "k" * 32}
    assert shell(home, "secrets", "set", "acme/api", "TOKEN", said="hunter2\n", **env).exit_code == 0
    assert shell(home, "secrets", "list", "acme/api", **env).output == "TOKEN\n"
    assert b"hunter2" not in (home / "s.db").read_bytes()
    assert shell(home, "secrets", "set", "acme/api", "EMPTY", said="", **env).exit_code == 2
    assert shell(home, "secrets", "remove", "acme/api", "TOKEN", **env).exit_code == 0
    assert shell(home, "secrets", "remove", "acme/api", "TOKEN", **env).exit_code == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("github", "acme", "--branch", "main"), "owner/name"),
        (("github", "acme/api", "--branch", "main"), "Token is empty"),
        (("aws", "--region", "eu-west-1"), "one of the two"),
        (("aws", "--region", "eu-west-1", "--access-key-id", "A", "--role-arn", "arn:x"), "one of the two"),
    ],
)
def test_a_connection_that_cannot_be_tried_is_refused_with_what_to_give(
    home: Path, words: tuple[str, ...], sentence: str
) -> None:
    result = shell(home, "connections", "add", *words, SHIPMATE_SECRET_KEY="k" * 32)
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


def test_connections_are_listed_and_one_that_is_not_there_is_not_removed(home: Path) -> None:
    assert json.loads(shell(home, "connections", "list", "--json").output) == {"github": [], "aws": []}
    result = shell(home, "connections", "remove", "gh_0000000000")
    assert (result.exit_code, "no connection gh_0000000000" in result.output) == (2, True)


def test_what_is_done_in_the_shell_stands_in_the_audit_trail_without_the_secret(home: Path) -> None:
    env = {"SHIPMATE_SECRET_KEY": "k" * 32}
    shell(home, "keys", "create", "ci")
    shell(home, "keys", "revoke", "nothing")
    shell(home, "secrets", "set", "acme/api", "TOKEN", said="s3cret-value", **env)
    shell(home, "deliveries", "replay", "nothing")
    exported = shell(home, "audit", "export").stdout
    told = [json.loads(line) for line in exported.splitlines()]
    assert [(one["face"], one["command"], one["raw"]) for one in told] == [
        ("shell", "keys create", "ci"),
        ("shell", "secrets set", "TOKEN"),
    ]
    assert "s3cret-value" not in exported


def test_the_database_is_brought_up_to_date_once(home: Path) -> None:
    assert "applied" in shell(home, "migrate").output
    assert shell(home, "migrate").output == "nothing to do\n"


def test_an_unknown_delivery_is_not_replayed(home: Path) -> None:
    result = shell(home, "deliveries", "replay", "no-such-guid")
    assert (result.exit_code, "No delivery no-such-guid" in result.output) == (2, True)


def test_the_doctor_says_what_is_missing_and_what_to_do(home: Path) -> None:
    result = shell(home, "doctor", "--json", GITHUB_APP_ID="", SHIPMATE_ENGINE="process")
    findings = {finding["name"]: finding for finding in json.loads(result.output)}
    assert result.exit_code == 1
    assert findings["github"]["well"] is False
    assert "GITHUB_APP_ID" in findings["github"]["sentence"]
    assert findings["engine"]["well"] is True


# --- real processes -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def process(home: Path, sandbox: Sandbox, *words: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`shipmate WORDS` as a real process, once it says that it is ready; and the address it said."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "DATABASE_URL": f"sqlite:///{home}/s.db",
        "SHIPMATE_WORKDIR": str(home / "w"),
        "SHIPMATE_ENGINE": "process",
        "PORT": "0",
        **sandbox.environment(),
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, env=env, stderr=asyncio.subprocess.PIPE
    )
    assert running.stderr is not None
    address = ""
    lines: list[str] = []
    while "shipmate is ready" not in address:
        raw = await asyncio.wait_for(running.stderr.readline(), 30)
        assert raw, lines
        address = raw.decode()
        lines.append(address)
    drained = asyncio.create_task(running.stderr.read())
    try:
        yield running, address.strip().rpartition(" ")[2]
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 40) == 0
        await drained


@asynccontextmanager
async def router_ended(home: Path) -> AsyncIterator[None]:
    """The router outlives those who start it: it is ended at the end."""
    try:
        yield
    finally:
        with suppress(ShipmateError):
            await RouterClient(home / "w" / "router" / "control.sock").stop()


async def begun(sandbox: Sandbox, repository: str) -> None:
    """Until GitHub shows a check run."""
    async with asyncio.timeout(30):
        while True:
            if sandbox.github.checks(repository):
                return
            await asyncio.sleep(0.01)


async def deployed(sandbox: Sandbox, repository: str) -> str:
    """The environment URL once GitHub shows a success."""
    async with asyncio.timeout(60):
        while True:
            for deployment in sandbox.github.deployments(repository):
                for status in deployment.statuses:
                    if status.state == "success":
                        return str(status.environment_url)
            await asyncio.sleep(0.05)


async def test_a_push_is_received_by_the_web_process_and_deployed_by_the_worker(home: Path) -> None:
    async with Sandbox(state_dir=home / "gh") as sandbox, router_ended(home):
        await sandbox.github.create_repo("acme/notes", files={"README.md": "x"})
        async with process(home, sandbox, "web") as (_, address), process(home, sandbox, "worker"):
            sandbox.github.webhook_url = f"{address}/webhook/github"
            await sandbox.github.push("acme/notes", folder=SAMPLES / "hello-python")
            url = await deployed(sandbox, "acme/notes")
            async with aiohttp.ClientSession() as http:
                assert "hello-python" in await (await http.get(url)).text()
                assert (await http.get(f"{address}/health")).status == 200
                assert (await http.get(f"{address}/ready")).status == 200
                assert "shipmate_webhooks_total" in await (await http.get(f"{address}/metrics")).text()
                assert (await http.get(f"{address}/schema/shipmate.schema.json")).status == 200


async def test_what_was_told_to_stop_hands_its_work_back_and_the_next_one_ends_it(home: Path) -> None:
    async with Sandbox(state_dir=home / "gh") as sandbox, router_ended(home):
        await sandbox.github.create_repo("acme/notes", files={"README.md": "x"})
        async with process(home, sandbox, "serve") as (_, address):
            sandbox.github.webhook_url = f"{address}/webhook/github"
            await sandbox.github.push("acme/notes", folder=SAMPLES / "hello-python")
            await begun(sandbox, "acme/notes")
        async with process(home, sandbox, "serve"):
            assert await deployed(sandbox, "acme/notes")
        assert sandbox.github.checks("acme/notes") == ["shipmate / deploy: success"]
