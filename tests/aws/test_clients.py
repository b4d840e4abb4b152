"""What botocore raises becomes the house's errors, and calls are tried again, counted and signed as they should be."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from aiobotocore.session import AioSession

from aws.clients import AwsAccess, AwsClients, Keys
from aws.errors import AwsRefusal
from bot.errors import Permanent, Transient
from tests.aws.conftest import REGION
from tests.aws.emulator.handle import Emulator
from tests.aws.guard import Guard


async def test_a_throttled_call_is_tried_again_and_each_attempt_is_counted(
    clients: AwsClients, emulator: Emulator
) -> None:
    emulator.goes_wrong({"kind": "throttle", "operation": "ListClusters", "times": 2})
    await clients.call("ecs", "ListClusters")
    assert clients.calls == {"ecs.ListClusters": 3}


async def test_endless_throttling_is_passing(clients: AwsClients, emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "throttle", "times": 100})
    with pytest.raises(Transient, match="aws_throttled"):
        await clients.call("ecs", "ListClusters")


@pytest.mark.parametrize("kind", ["fault", "reset", "cut"])
async def test_a_call_that_must_not_happen_twice_is_made_once(
    clients: AwsClients, emulator: Emulator, kind: str
) -> None:
    emulator.goes_wrong({"kind": kind, "operation": "CreateCluster", "times": 9})
    with pytest.raises(Transient, match="aws_unavailable"):
        await clients.call_once("ecs", "CreateCluster", clusterName="once")
    assert emulator.calls() == ["ecs.CreateCluster"]


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [("ecs", "ListClusters", "ecs:ListClusters"), ("ec2", "DescribeVpcs", "ec2:DescribeVpcs")],
)
async def test_a_refusal_names_the_action_that_is_missing(
    clients: AwsClients, emulator: Emulator, service: str, operation: str, action: str
) -> None:
    emulator.goes_wrong({"kind": "deny", "times": 9})
    with pytest.raises(Permanent, match="aws_denied") as refused:
        await clients.call(service, operation)
    assert refused.value.facts["action"] == action


async def test_what_aws_says_no_to_keeps_its_own_word(clients: AwsClients) -> None:
    with pytest.raises(AwsRefusal) as refused:
        await clients.call("ecs", "DescribeServices", cluster="nowhere", services=["x"])
    assert refused.value.aws_code == "ClusterNotFoundException"


async def test_without_keys_it_is_said_so(emulator: Emulator, no_config_files: None) -> None:
    clients = AwsClients(AwsAccess(REGION, emulator.url))
    with pytest.raises(Permanent, match="aws_credentials_missing"):
        await clients.call("ecs", "ListClusters")
    await clients.close()


async def test_nobody_there_is_passing(no_config_files: None, short_pauses: None) -> None:
    async def keys() -> Keys:
        return Keys("A", "s")

    clients = AwsClients(AwsAccess(REGION, "http://127.0.0.1:9", keys))
    with pytest.raises(Transient, match="aws_unavailable"):
        await clients.call("ecs", "ListClusters")
    await clients.close()


async def test_keys_are_asked_for_again_before_they_expire(emulator: Emulator, no_config_files: None) -> None:
    asked: list[Keys] = []

    async def keys() -> Keys:
        lasts = timedelta(minutes=2) if not asked else timedelta(hours=1)
        asked.append(Keys("AKIA", "s", "t", datetime.now(UTC) + lasts))
        return asked[-1]

    clients = AwsClients(AwsAccess(REGION, emulator.url, keys))
    for _ in range(3):
        await clients.call("ecs", "ListClusters")
    await clients.close()
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("service", "operation", "given", "fault"),
    [
        ("ecs", "ListServices", {"launchType": "FARGET"}, "none of EC2"),
        ("ecr", "DescribeRepositories", {"repositoryNames": ["UPPER"]}, "not of the form"),
    ],
)
async def test_the_guard_sees_a_word_that_aws_would_refuse(
    access: AwsAccess, no_config_files: None, service: str, operation: str, given: dict[str, object], fault: str
) -> None:
    guard = Guard()
    clients = AwsClients(access, session=guard.watch(AioSession()))
    with contextlib.suppress(Permanent):
        await clients.call(service, operation, **given)
    await clients.close()
    assert fault in guard.wrong[0]
