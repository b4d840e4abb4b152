"""Every call of a deployment goes wrong, in each way there is, and nothing is made twice, lost, or told wrongly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from aws.clients import AwsClients
from bot.clock import utc_now
from tests.aws.emulator.handle import Emulator
from tests.aws.harbour import Harbour, afloat, new_folder
from tests.aws.network import Network
from tests.aws.rollouts.test_rollouts import raise_alarm

KINDS = ["throttle", "fault", "reset", "cut"]
CALLS = [
    *("GetAuthorizationToken", "DescribeRepositories", "CreateRepository", "PutLifecyclePolicy", "GetLifecyclePolicy"),
    *("ListTagsForResource", "DescribeAlarms", "DescribeServices", "ListServiceDeployments", "DescribeLoadBalancers"),
    *("DescribeListeners", "DescribeTaskDefinition", "RegisterTaskDefinition", "CreateSecret", "PutSecretValue"),
    *("RunTask", "DescribeTasks", "GetLogEvents", "CreateService", "UpdateService", "DescribeServiceDeployments"),
    *("DescribeServiceRevisions", "ContinueServiceDeployment", "StopServiceDeployment", "GetMetricData", "ListTasks"),
    *("DeleteService",),
]
"""Each goes wrong; a deployment that makes another call fails the test."""
MOST = 1000
"""No call is made so often."""
GATE = {"requests": 5, "p95_slack_ms": 10_000}
CANARY = {"strategy": "canary", "percent": 50, "every": "1m"}


@pytest.fixture
async def harbour(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Harbour]:
    async with afloat(Harbour(new_folder(), emulator, clients, network)) as harbour:
        yield harbour


async def everything_goes_wrong(harbour: Harbour, kind: str, doing: Callable[[], Awaitable[object]]) -> None:
    """Do it while of each call's attempts the first, the third, the fifth fail, and so on: none goes well at once."""
    rules = [{"kind": kind, "operation": call, "times": MOST, "every": 2} for call in CALLS]
    harbour.emulator.goes_wrong(*rules)
    await doing()
    calls, fired = [call.rpartition(".")[2] for call in harbour.emulator.calls()], harbour.emulator.fired()
    harbour.emulator.goes_wrong()
    assert set(calls) <= set(CALLS)
    for call, times in zip(CALLS, fired, strict=True):
        assert times == (calls.count(call) + 1) // 2, call


@pytest.mark.parametrize("kind", KINDS)
async def test_a_first_version_is_made_once(harbour: Harbour, kind: str) -> None:
    await harbour.store.secrets.put("acme/api", "TOKEN", "t", utc_now())
    await harbour.clients.call("logs", "CreateLogGroup", logGroupName=harbour.network.name)
    ecs = {"log_group": harbour.network.name}
    settings = {"gate": GATE, "secrets": ["TOKEN"], "release_command": "echo migrated", "ecs": ecs}
    await everything_goes_wrong(harbour, kind, lambda: harbour.sail(**settings))
    assert await harbour.states() == ["COMPLETED"]
    assert await harbour.made() == (1, 1, 1)
    assert await harbour.answers_people() == "200 zero"


@pytest.mark.parametrize("kind", KINDS)
async def test_an_update_in_steps_loses_no_request(harbour: Harbour, kind: str) -> None:
    await raise_alarm(harbour.clients, harbour.network.name, "OK")
    await harbour.sail(gate=GATE, traffic=CANARY, ecs={"alarms": [harbour.network.name]})
    async with harbour.people() as seen:
        await everything_goes_wrong(harbour, kind, lambda: harbour.ship("one"))
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert set(seen) == {"200 zero", "200 one"}
    assert await harbour.made() == (2, 1, 2)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_its_gate_refuses_is_taken_back(harbour: Harbour, kind: str) -> None:
    await harbour.sail(gate=GATE, traffic={**CANARY, "every": "9m"})
    async with harbour.people():
        await everything_goes_wrong(harbour, kind, lambda: harbour.ship_that("turn 5 two"))
    assert (await harbour.states())[-1] == "ROLLED_BACK"
    assert await harbour.answers_people() == "200 zero"
    assert await harbour.made() == (2, 1, 2)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_over_is_replaced_by_what_was_there(harbour: Harbour, kind: str) -> None:
    await harbour.sail(ecs={"rolling": True})
    async with harbour.people():
        await everything_goes_wrong(harbour, kind, lambda: harbour.ship_that("turn 5 two"))
    assert (await harbour.states())[-1] == "ROLLED_BACK"
    assert await harbour.answers_people() == "200 zero"
    assert await harbour.made() == (2, 1, 3)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_release_comes_back(harbour: Harbour, kind: str) -> None:
    await harbour.sail(gate=GATE)
    await harbour.ship("one")
    number = (await harbour.open_pull("two")).number
    await everything_goes_wrong(harbour, kind, lambda: harbour.say(number, "/rollback"))
    assert await harbour.states() == ["COMPLETED"] * 3
    assert await harbour.answers_people() == "200 zero"
    assert await harbour.made() == (2, 1, 3)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_first_version_that_does_not_come_up_leaves_nothing(harbour: Harbour, kind: str) -> None:
    await harbour.push_files({"Dockerfile": "FROM scratch\nCMD exit 3\n"})
    await harbour.settle()
    await everything_goes_wrong(harbour, kind, harbour.sail)
    assert (await harbour.jobs())[-1].error_code == "rollout_failed"
    assert await harbour.count("ListServices", cluster=harbour.network.cluster) == 0
