"""`shipmate aws plan | apply | destroy`: what is said, what is done, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import cli
from tests.aws.emulator.handle import Emulator

SETTINGS = """\
environments:
  production: {branch: main, target: ecs, ecs: {port: 8080, test_port: 8081}}
  staging: {branch: staging}
  followed:
    target: ecs
    ecs:
      follow:
        state_machine: arn:aws:states:us-east-1:123456789012:stateMachine:deploy
        events_role: arn:aws:iam::123456789012:role/events
"""


class Shell:
    """The program, with settings of its own and an emulated account."""

    def __init__(self, folder: Path, emulator: Emulator, number: int) -> None:
        self._file = folder / ".shipmate.yml"
        self._file.write_text(SETTINGS, encoding="utf-8")
        self._number = number
        self._env = {
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DATABASE_URL": f"sqlite:///{folder / 'shipmate.db'}",
            "SHIPMATE_WORKDIR": str(folder),
            "GITHUB_APP_ID": "",
        }

    def __call__(self, command: str, *options: str, environment: str = "production", **env: str) -> Result:
        where = ["--file", str(self._file), "--repository-id", str(self._number)]
        argv = ["aws", command, "acme/api", environment, *where, *options]
        return CliRunner().invoke(cli, argv, env={**self._env, **env})


@pytest.fixture
def shell(tmp_path: Path, emulator: Emulator) -> Shell:
    return Shell(tmp_path, emulator, number=abs(hash(str(tmp_path))) % 10**9)


def test_it_is_shown_made_found_and_deleted(shell: Shell) -> None:
    made = shell("apply", "--yes")
    assert made.exit_code == 0, made.output
    assert made.output.index("+ VPC 10.42.0.0/16\n") < made.output.index("18 to create, 0 to change, 0 to delete")
    assert made.output.count("✓ +") == 18
    found = shell("plan", "--detailed-exitcode", "--json")
    assert found.exit_code == 0
    assert {part["action"] for part in json.loads(found.stdout)["parts"]} == {"keep"}
    gone = shell("destroy", "--yes", "--all")
    assert gone.exit_code == 0, gone.output
    assert "✓ - VPC 10.42.0.0/16" in gone.output
    assert "✓ - listener rule HTTP:8081/*" in gone.output


def test_where_nobody_can_be_asked_nothing_is_done(shell: Shell) -> None:
    asked = shell("apply")
    assert asked.exit_code == 2
    assert "give --yes" in asked.output
    assert shell("plan", "--detailed-exitcode").exit_code == 2
    assert shell("destroy").output == "Nothing to do.\n"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ("staging", "is not on ECS"),
        ("followed", "is deployed by a state machine"),
        ("elsewhere", "There is no environment `elsewhere`"),
    ],
)
def test_an_environment_with_no_ground_of_its_own_is_refused(shell: Shell, environment: str, sentence: str) -> None:
    refused = shell("plan", environment=environment)
    assert refused.exit_code == 1
    assert sentence in refused.output


def test_a_server_without_a_region_says_so(shell: Shell) -> None:
    refused = shell("plan", AWS_REGION="", AWS_DEFAULT_REGION="")
    assert refused.exit_code == 2
    assert "set `AWS_REGION`" in refused.output
