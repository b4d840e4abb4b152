"""`shipmate connections` and `shipmate doctor` over an emulated AWS and GitHub: lent, listed, looked at, taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import cli
from bot.sandbox.github.simulator import GitHubSandbox
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator

ROLE = "arn:aws:iam::123456789012:role/deployer"


@dataclass
class Shell:
    """The program as a person calls it, with settings of its own."""

    environment: dict[str, str]

    async def __call__(self, *words: str, types: str | None = None) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli, words, input=types, env=self.environment)

    async def add(self, *words: str, types: str | None = None) -> str:
        """Lend one way into AWS; its id."""
        result = await self("connections", "add", "aws", "--region", REGION, *words, types=types)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    async def listed(self) -> list[dict[str, object]]:
        return list(json.loads((await self("connections", "list", "--json")).stdout)["aws"])

    async def found(self, name: str) -> tuple[bool, str]:
        """What the doctor says of a connection."""
        findings = {one["name"]: one for one in json.loads((await self("doctor", "--json")).stdout)}
        finding = findings[f"connection {name}"]
        return finding["well"], finding["sentence"]


@pytest.fixture
async def shell(tmp_path: Path, emulator: Emulator, no_config_files: None) -> AsyncIterator[Shell]:
    github = GitHubSandbox(tmp_path / "github")
    await github.start()
    await github.create_repo("acme/api", files={"a": "b"})
    environment = {
        **github.environment(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/s.db",
        "SHIPMATE_WORKDIR": str(tmp_path / "work"),
        "SHIPMATE_ENGINE": "process",
        "SHIPMATE_SECRET_KEY": "k" * 32,
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": "AKIASERVERSERVER0000",
        "AWS_SECRET_ACCESS_KEY": "the server's own",
    }
    yield Shell(environment)
    await github.stop()


async def test_a_role_is_lent_by_name_to_a_repository_and_to_an_account(shell: Shell) -> None:
    made = await shell.add("--role-arn", ROLE, "--external-id", "acme-7", "--name", "prod", "--for", "acme/api, acme")
    known = {"connectionId": made, "region": REGION, "accountId": "123456789012", "roleArn": ROLE}
    assert await shell.listed() == [{**known, "name": "prod", "lentTo": ["acme/api", "acme"]}]
    assert (await shell("connections", "list")).stdout.split() == [
        *("aws", made, REGION, "123456789012", ROLE, "prod", "acme/api,acme")
    ]
    assert (await shell("connections", "lend", "prod", "acme")).stdout == "acme\n"
    assert (await shell("connections", "lend", made)).stdout == "–\n"
    assert (await shell("connections", "lend", "none", "acme")).exit_code == 1
    assert (await shell("connections", "remove", made)).exit_code == 0
    assert await shell.listed() == []
    trail = [json.loads(line) for line in (await shell("audit", "export")).stdout.splitlines()]
    assert [one["reason"] for one in trail] == [*["connection_lent"] * 3, "connection_removed"]
    assert {one["face"] for one in trail} == {"shell"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--for", "acme/nothing"), "acme/nothing cannot be lent to"),
        (("--for", "a b"), "neither OWNER/REPO nor OWNER"),
        (("--name", "aws_k3v9x0q2mb"), "is no name"),
        (("--replace",), "--replace needs the --name"),
        (("--name", "prod", "--replace"), "no connection prod"),
    ],
)
async def test_terms_that_make_no_sense_are_told_and_nothing_is_kept(
    shell: Shell, words: tuple[str, ...], sentence: str
) -> None:
    result = await shell("connections", "add", "aws", "--region", REGION, "--role-arn", ROLE, *words)
    assert result.exit_code != 0
    assert sentence in result.output
    assert await shell.listed() == []


async def test_keys_are_replaced_under_the_same_id_and_the_doctor_says_whether_they_open(
    shell: Shell, emulator: Emulator
) -> None:
    before = await shell.add("--access-key-id", "AKIAFIRSTFIRSTFIRST1", "--name", "prod", types="first-secret\n")
    assert await shell.found("prod") == (True, "still opens")
    emulator.gives_sessions(dead_keys=["AKIAFIRSTFIRSTFIRST1"])
    well, sentence = await shell.found("prod")
    assert (well, "AWS credentials validation failed: The security token" in sentence) == (False, True)
    words = ("--access-key-id", "AKIASECONDSECOND0002", "--name", "prod", "--replace")
    assert await shell.add(*words, types="second-secret\n") == before
    assert await shell.found("prod") == (True, "still opens")


async def test_the_doctor_makes_no_database_to_look_for_connections(shell: Shell, tmp_path: Path) -> None:
    await shell("doctor", "--json")
    assert not (tmp_path / "s.db").exists()
