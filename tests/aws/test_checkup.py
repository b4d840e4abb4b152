"""`shipmate doctor` says of AWS whose keys they are, where, and which actions their policy lacks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from aws.checkup import READS, look_at
from aws.clients import AwsAccess
from bot.cli import cli
from bot.errors import Permanent, Transient
from bot.sandbox.github.simulator import GitHubSandbox
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator

POLICIES = Path(__file__).parents[2] / "infra" / "policies"


@pytest.fixture
def well(emulator: Emulator, access: AwsAccess, no_config_files: None, short_pauses: None) -> AwsAccess:
    """Access to an AWS that lets us do everything."""
    return access


async def test_a_way_in_that_opens_is_called_by_its_identity_and_region(well: AwsAccess) -> None:
    is_well, sentence = await look_at(well)
    assert is_well
    assert sentence.startswith("signed in as arn:aws:")
    assert f"in {REGION};" in sentence


async def test_every_action_that_a_policy_lacks_is_named(well: AwsAccess, emulator: Emulator) -> None:
    emulator.goes_wrong(
        *({"kind": "deny", "operation": called.split(".")[1]} for called in READS if called != "ecs.DescribeServices")
    )
    is_well, sentence = await look_at(well)
    assert not is_well
    assert "lacks `ecr:GetAuthorizationToken`, `ecr:DescribeRepositories`, `ecs:DescribeTaskDefinition`" in sentence
    assert "elasticloadbalancing:DescribeLoadBalancers" in sentence
    assert "ecs:DescribeServices" not in sentence


def test_what_is_looked_at_is_what_the_published_policies_allow() -> None:
    allowed = "".join((POLICIES / f"{name}.json").read_text() for name in ("ecr", "ecs"))
    for called in READS:
        assert f'"{called.replace("elbv2.", "elasticloadbalancing.").replace(".", ":")}"' in allowed


async def test_a_fault_that_may_pass_is_no_missing_action(well: AwsAccess, emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "fault", "operation": "DescribeServices", "times": 99})
    with pytest.raises(Transient, match="aws_unavailable"):
        await look_at(well)


async def test_keys_that_aws_does_not_know_are_called_so(well: AwsAccess, emulator: Emulator) -> None:
    emulator.gives_sessions(dead_keys=["AKIAEXAMPLE"])
    with pytest.raises(Permanent, match="aws_credentials_invalid"):
        await look_at(well)


@pytest.fixture
async def environment(tmp_path: Path, emulator: Emulator, no_config_files: None) -> AsyncIterator[dict[str, str]]:
    github = GitHubSandbox(tmp_path / "github")
    await github.start()
    yield {
        **github.environment(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/s.db",
        "SHIPMATE_WORKDIR": str(tmp_path / "work"),
        "SHIPMATE_ENGINE": "process",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": "AKIADOCTORDOCTOR0000",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    await github.stop()


async def test_the_doctor_tells_of_aws_where_a_region_is_set(environment: dict[str, str], emulator: Emulator) -> None:
    assert (await doctor(environment))["aws"][0]
    emulator.gives_sessions(dead_keys=[environment["AWS_ACCESS_KEY_ID"]])
    well, sentence = (await doctor(environment))["aws"]
    assert not well
    assert "AWS does not accept the credentials" in sentence
    assert "aws" not in await doctor({**environment, "AWS_REGION": ""})


async def doctor(environment: dict[str, str]) -> dict[str, tuple[bool, str]]:
    """Its findings by name."""
    result = await asyncio.to_thread(CliRunner().invoke, cli, ["doctor", "--json"], env=environment)
    return {one["name"]: (one["well"], one["sentence"]) for one in json.loads(result.stdout)}
