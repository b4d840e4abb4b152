"""A push is shipped to ECS as it is to Docker: the same stages, events and states, nothing lost and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from aws.clients import AwsClients
from bot.clock import utc_now
from bot.model import EventType
from tests.aws.emulator.handle import Emulator
from tests.aws.harbour import Harbour, afloat, new_folder
from tests.aws.network import Network
from tests.patience import ENOUGH_S

GATE = {"requests": 3, "p95_slack_ms": 10_000}
"""How fast a busy machine answers decides nothing here."""


@pytest.fixture
async def harbour(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Harbour]:
    async with afloat(Harbour(new_folder(), emulator, clients, network)) as harbour:
        yield harbour


async def told(harbour: Harbour) -> list[str]:
    """The messages of the newest job."""
    job = (await harbour.jobs())[-1]
    events = await harbour.store.jobs.events(job.id)
    return [event.message for event in events if event.type is not EventType.LOG_WRITTEN]


async def test_a_first_version_and_the_next_go_the_same_way(harbour: Harbour) -> None:
    await harbour.sail(gate=GATE)
    assert await harbour.states() == ["COMPLETED"]
    assert await harbour.answers_people() == "200 zero"
    async with harbour.people() as seen:
        sha = await harbour.ship("one")
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert set(seen) == {"200 zero", "200 one"}
    assert await harbour.answers_people() == "200 one"
    assert harbour.checks(sha) == ["shipmate / deploy: success"]
    assert harbour.url() == harbour.network.url
    assert await harbour.made() == (2, 1, 2)
    job = (await harbour.jobs())[-1]
    assert job.result["finalService"] == "green"
    assert job.result["blueLatencyMs"] > 0
    assert job.result["greenErrorRate"] == 0
    said = "\n".join(await told(harbour))
    for part in (
        "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "BeforeAllowTraffic",
        "Check 2/2 passed",
        "All traffic goes",
        "AfterAllowTraffic",
    ):
        assert part in said


@pytest.mark.parametrize(
    "settings",
    [
        {"traffic": {"strategy": "canary", "percent": 20, "every": "1m", "bake": "1m"}},
        {"traffic": {"strategy": "linear", "percent": 40, "every": "1m"}},
        {"ecs": {"rolling": True}},
        {"ecs": {"launch_type": "ec2"}},
    ],
    ids=["canary", "linear", "rolling", "ec2"],
)
async def test_no_request_is_lost_whatever_the_strategy(harbour: Harbour, settings: dict[str, Any]) -> None:
    await harbour.sail(gate=GATE, **settings)
    async with harbour.people() as seen:
        await harbour.ship("one")
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert set(seen) == {"200 zero", "200 one"}


@pytest.mark.parametrize(("does", "code"), [("exit 3", "rollout_failed"), ("sick", "rollout_failed")])
async def test_a_version_that_does_not_come_up_never_gets_a_request(harbour: Harbour, does: str, code: str) -> None:
    await harbour.sail()
    async with harbour.people() as seen:
        sha = await harbour.ship_that(does)
    job = (await harbour.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", code)
    assert set(seen) == {"200 zero"}
    assert harbour.checks(sha) == ["shipmate / deploy: failure"]


async def test_a_first_version_that_does_not_come_up_leaves_no_service(harbour: Harbour) -> None:
    await harbour.push_files({"Dockerfile": "FROM scratch\nCMD exit 3\n"})
    await harbour.settle()
    await harbour.sail()
    assert (await harbour.jobs())[-1].error_code == "rollout_failed"
    assert await harbour.count("ListServices", cluster=harbour.network.cluster) == 0
    await harbour.ship("one")
    assert await harbour.answers_people() == "200 one"


async def test_a_version_that_turns_bad_under_traffic_is_taken_back(harbour: Harbour) -> None:
    traffic = {"strategy": "canary", "percent": 50, "every": "5m"}
    await harbour.sail(gate={"requests": 5, "p95_slack_ms": 10_000}, traffic=traffic)
    async with harbour.people() as seen:
        await harbour.ship_that("turn 30 two")
    job = (await harbour.jobs())[-1]
    assert (job.state.value, job.error_code) == ("ROLLED_BACK", "gate_failed")
    assert await harbour.answers_people() == "200 zero"
    assert seen["200 zero"] > 0
    assert job.result["failure"]["green"]["errorPercent"] > 1


async def test_what_fails_after_it_has_everything_is_replaced_by_what_was_there(harbour: Harbour) -> None:
    """A rolling update has no pauses: what turns bad under it is over before that shows."""
    await harbour.sail(ecs={"rolling": True})
    async with harbour.people():
        await harbour.ship_that("turn 5 two")
    job = (await harbour.jobs())[-1]
    assert (job.state.value, job.error_code) == ("ROLLED_BACK", "health_check_failed")
    assert await harbour.answers_people() == "200 zero"
    assert await harbour.made() == (2, 1, 3)


async def test_a_release_comes_back_by_its_own_revision(harbour: Harbour) -> None:
    await harbour.sail(gate=GATE)
    await harbour.ship("one")
    number = (await harbour.open_pull("two")).number
    before = (await harbour.made())[0]
    await harbour.say(number, "/rollback")
    assert await harbour.states() == ["COMPLETED"] * 3
    assert await harbour.answers_people() == "200 zero"
    assert (await harbour.made())[0] == before


async def test_a_cancelled_deployment_leaves_blue(harbour: Harbour) -> None:
    await harbour.sail(gate=GATE, traffic={"bake": "1m"})
    harbour.emulator.is_like(minute_s=600)
    number = (await harbour.open_pull("one")).number
    async with harbour.people() as seen:
        await harbour.comment(number, "/deploy")
        async with asyncio.timeout(ENOUGH_S):
            while "200 one" not in seen:  # noqa: ASYNC110 - nobody here could set an event
                await asyncio.sleep(0.01)
        await harbour.say(number, "/cancel")
    job = (await harbour.jobs())[-1]
    assert (job.state.value, job.error_code) == ("CANCELLED", "cancelled")
    assert await harbour.answers_people() == "200 zero"
    assert set(seen) == {"200 zero", "200 one"}


async def test_a_rollback_that_failed_is_never_called_done(harbour: Harbour) -> None:
    await harbour.sail()
    harbour.emulator.is_like(rollbacks_fail=True)
    sha = await harbour.ship_that("exit 3")
    job = (await harbour.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "undo_failed")
    assert harbour.checks(sha) == ["shipmate / deploy: failure"]


async def test_secrets_never_stand_in_a_task_definition_an_event_or_a_log(harbour: Harbour) -> None:
    await harbour.store.secrets.put("acme/api", "DATABASE_URL", "postgres://hunter2", utc_now())
    await harbour.sail(secrets=["DATABASE_URL"])
    assert await harbour.states() == ["COMPLETED"]
    told = await harbour.clients.call("ecs", "DescribeTaskDefinition", taskDefinition=harbour.network.name)
    assert "hunter2" not in f"{told}{harbour.everything_written()}"
    (secret,) = told["taskDefinition"]["containerDefinitions"][0]["secrets"]
    assert secret["name"] == "DATABASE_URL"


@pytest.mark.parametrize("steps", range(1, 46, 6))
async def test_a_server_that_dies_again_and_again_ships_once(harbour: Harbour, steps: int) -> None:
    """Each server lives for as many steps, up to four of them; the last one lives."""
    await harbour.sail(gate=GATE)
    deaths = 0
    async with harbour.people() as seen:
        await harbour.push("one")
        for _ in range(4):
            harbour.life.fatal_step = harbour.life.steps + steps
            deaths += await harbour.restart_when_it_dies()
        harbour.life.fatal_step = 0
        await harbour.settle()
    assert deaths > 0
    assert await harbour.states() == ["COMPLETED", "COMPLETED"]
    assert await harbour.made() == (2, 1, 2)
    assert set(seen) == {"200 zero", "200 one"}


@pytest.mark.parametrize("step", range(6, 60, 12))
async def test_a_server_that_dies_while_it_takes_back_takes_back_once(harbour: Harbour, step: int) -> None:
    await harbour.sail(gate=GATE)
    harbour.life.fatal_step = harbour.life.steps + step
    async with harbour.people() as seen:
        await harbour.push_files({"Dockerfile": "FROM scratch\nCMD exit 3\n"})
        await harbour.restart_when_it_dies()
        await harbour.settle()
    assert (await harbour.states())[-1] == "FAILED"
    assert set(seen) == {"200 zero"}
    assert await harbour.made() == (2, 1, 2)


async def test_what_may_not_be_read_decides_nothing(harbour: Harbour) -> None:
    await harbour.sail(gate=GATE)
    harbour.emulator.goes_wrong({"kind": "deny", "operation": "GetMetricData", "times": 99})
    await harbour.ship("one")
    assert (await harbour.states())[-1] == "COMPLETED"
    harbour.emulator.goes_wrong({"kind": "deny", "operation": "ListTasks", "times": 99})
    await harbour.ship_that("exit 3")
    assert (await harbour.jobs())[-1].error_code == "rollout_failed"
    assert "`ecs:ListTasks` is missing" in harbour.everything_written()


async def test_beside_the_looks_an_update_takes_seventeen_calls_and_a_first_version_twenty_one(
    harbour: Harbour,
) -> None:
    assert await calls_of(harbour, harbour.sail()) <= 21
    assert await calls_of(harbour, harbour.ship("one")) <= 17


async def calls_of(harbour: Harbour, doing: Awaitable[object]) -> int:
    """How many calls it takes that do not only look how a deployment stands."""
    harbour.clients.calls.clear()
    await doing
    return sum(harbour.clients.calls.values()) - harbour.clients.calls["ecs.DescribeServiceDeployments"]
