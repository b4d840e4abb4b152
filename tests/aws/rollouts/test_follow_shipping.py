"""A team's own state machine deploys: its steps are told as they happen, and its end as it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from aws.clients import AwsClients
from bot.clock import utc_now
from bot.jobs.deploy.rollout.leftovers import Leftovers
from tests.aws.accounts.test_lent_accounts import lend_keys
from tests.aws.emulator.handle import Emulator
from tests.aws.harbour import afloat, new_folder
from tests.aws.network import Network
from tests.aws.rollouts.slipway import Slipway, quick_definition
from tests.patience import ENOUGH_S

MUTE = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


def breaking(state: str, error: str = "Team.Broken") -> str:
    """The published machine with another state in front of one: it fails."""
    definition = json.loads(quick_definition())
    states = definition["States"]
    for one in states.values():
        if one.get("Next") == state:
            one["Next"] = "Break"
    states["Break"] = {"Type": "Fail", "Error": error, "Cause": "nobody knows why"}
    return json.dumps(definition)


@pytest.fixture
async def slipway(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Slipway]:
    """Production serves `old`, brought there without Shipmate."""
    async with afloat(Slipway(new_folder(), emulator, clients, network)) as slipway:
        await slipway.stand("serve old")
        yield slipway


async def until_said(slipway: Slipway, words: str) -> None:
    """Until an event of the newest job says it."""
    async with asyncio.timeout(ENOUGH_S):
        while not any(words in line for line in await slipway.said()):  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.02)


async def test_the_state_machine_deploys_and_its_steps_are_told_in_order(slipway: Slipway) -> None:
    machine = await slipway.follow()
    sha = await slipway.ship("one")
    assert await slipway.states() == ["COMPLETED"] * 2
    assert {job.spec["waits_s"] for job in await slipway.jobs()} == {1200}
    assert await slipway.answers_people() == "200 one"
    assert slipway.checks(sha) == ["shipmate / deploy: success"]
    assert await slipway.executions(machine) == ["SUCCEEDED"] * 2
    said = await slipway.said()
    steps = [line.removeprefix("[Stage 4] ") for line in said if line.startswith("[Stage 4] ")]
    told = [line for line in steps if line.endswith((" began", " succeeded"))]
    assert told[:4] == [
        "RememberExecution began",
        "RememberExecution succeeded",
        "EnsureInfra began",
        "EnsureInfra succeeded",
    ]
    assert len(told) == len(set(told))
    assert "The state machine has come to its end" in steps
    assert any("Check 2/2 passed" in line for line in said)
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])
    assert slipway.url() == slipway.network.url


async def test_without_an_address_nobody_asks_how_the_new_version_is(slipway: Slipway) -> None:
    machine = await slipway.machine(quick_definition())
    settings = slipway.followed(machine).replace(f"url: {slipway.network.url}", "")
    await slipway.push_files({".shipmate.yml": settings})
    await slipway.settle()
    assert (await slipway.states())[-1] == "COMPLETED"
    assert (await slipway.jobs())[-1].result["url"] is None
    assert not any("Check " in line for line in await slipway.said())


async def test_a_task_that_fails_is_told_with_its_reason_and_the_old_version_goes_on(slipway: Slipway) -> None:
    await slipway.follow()
    slipway.emulator.goes_wrong({"kind": "deny", "operation": "RegisterTaskDefinition", "times": 99})
    sha = await slipway.ship("one")
    job = (await slipway.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "execution_failed")
    assert "not authorized to perform: ecs:RegisterTaskDefinition" in str(job.error_message)
    assert "The service runs what it ran before" in str(job.error_message)
    assert any("RegisterTaskDefinition" in line and " failed: " in line for line in await slipway.said())
    assert slipway.checks(sha) == ["shipmate / deploy: failure"]
    assert await slipway.answers_people() == "200 zero"
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_what_is_not_seen_to_be_back_needs_somebody_to_look(slipway: Slipway) -> None:
    await slipway.follow(breaking("Wait"))
    job = (await slipway.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "undo_failed")
    assert "Team.Broken: nobody knows why. Look at the service in AWS now." in str(job.error_message)
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_a_version_that_is_sick_afterwards_is_replaced_by_the_one_before(slipway: Slipway) -> None:
    machine = await slipway.follow()
    async with slipway.people():
        await slipway.ship_that("turn 5 two")
    job = (await slipway.jobs())[-1]
    assert (job.state.value, job.error_code) == ("ROLLED_BACK", "health_check_failed")
    assert await slipway.answers_people() == "200 zero"
    assert await slipway.executions(machine) == ["SUCCEEDED"] * 3
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_a_release_comes_back_by_an_execution_of_its_own(slipway: Slipway) -> None:
    machine = await slipway.follow()
    await slipway.ship("one")
    number = (await slipway.open_pull("two")).number
    await slipway.say(number, "/deploy --canary 10%")
    assert "decides how traffic moves: say it without `--canary`" in slipway.answers(number)[-1].body
    await slipway.say(number, "/rollback")
    assert await slipway.states() == ["COMPLETED"] * 3
    assert await slipway.answers_people() == "200 zero"
    assert await slipway.executions(machine) == ["SUCCEEDED"] * 3


async def test_a_cancelled_deployment_stops_the_execution(slipway: Slipway) -> None:
    definition = json.loads(quick_definition())
    definition["States"]["Wait"]["Seconds"] = 300
    definition["States"]["EnsureInfra"]["Next"] = "Wait"
    machine = await slipway.machine(json.dumps(definition))
    await slipway.push_files({".shipmate.yml": slipway.followed(machine)})
    await slipway.until_state("DEPLOYING")
    await until_said(slipway, "EnsureInfra succeeded")
    await slipway.store.jobs.ask_cancel((await slipway.jobs())[-1].id, "alice", utc_now())
    await slipway.settle()
    job = (await slipway.jobs())[-1]
    assert (job.state.value, job.error_code) == ("CANCELLED", "cancelled")
    assert await slipway.executions(machine) == ["ABORTED"]
    assert await slipway.answers_people() == "200 old"
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_an_execution_that_never_tells_its_name_is_told_with_what_to_look_at(slipway: Slipway) -> None:
    slipway.lookout = replace(slipway.lookout, for_s=0.5)
    await slipway.stop()
    await slipway.start()
    await slipway.follow(MUTE)
    job = (await slipway.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "execution_unknown")
    assert "whether its first state writes the secret" in str(job.error_message)
    assert await slipway.rules() == []
    assert await slipway.answers_people() == "200 old"


@pytest.mark.parametrize("steps", [2, 7])
async def test_a_server_that_dies_again_and_again_starts_one_execution_and_tells_each_step_once(
    slipway: Slipway, steps: int
) -> None:
    """Each server lives for as many steps, up to six of them; the last one lives."""
    machine = await slipway.machine(quick_definition())
    deaths = 0
    await slipway.push_files({".shipmate.yml": slipway.followed(machine)})
    for _ in range(6):
        slipway.life.fatal_step = slipway.life.steps + steps
        deaths += await slipway.restart_when_it_dies()
    slipway.life.fatal_step = 0
    await slipway.settle()
    assert deaths > 0
    assert await slipway.states() == ["COMPLETED"]
    assert await slipway.executions(machine) == ["SUCCEEDED"]
    told = [line for line in await slipway.said() if line.endswith((" began", " succeeded"))]
    assert len(told) == len(set(told))
    assert "[Stage 4] BlueGreenDeployment succeeded" in told


@pytest.mark.parametrize("kind", ["reset", "cut"])
async def test_a_storm_of_faults_on_whatever_is_called_starts_one_execution(slipway: Slipway, kind: str) -> None:
    calls = ["DescribeStateMachine", "PutRule", "PutTargets", "BatchGetImage", "GetExecutionHistory", "RemoveTargets"]
    calls += ["DeleteRule", "DeleteSecret"]
    slipway.emulator.goes_wrong(*({"kind": kind, "operation": operation, "times": 2} for operation in calls))
    machine = await slipway.follow()
    assert [fired > 0 for fired in slipway.emulator.fired()] == [True] * len(calls)
    assert await slipway.states() == ["COMPLETED"]
    assert await slipway.executions(machine) == ["SUCCEEDED"]
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_what_is_left_of_a_job_that_is_over_is_removed_on_the_rounds(slipway: Slipway) -> None:
    slipway.emulator.goes_wrong({"kind": "deny", "operation": "DeleteRule", "times": 99})
    await slipway.follow()
    assert await slipway.states() == ["COMPLETED"]
    assert len(await slipway.rules()) == 1
    slipway.emulator.goes_wrong()
    await slipway.make_the_rounds()
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])


async def test_in_a_lent_account_it_is_followed_too_and_what_is_left_there_is_removed(
    slipway: Slipway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", slipway.emulator.url)
    await lend_keys(slipway, "AKIALENTLENTLENTLEN1")
    slipway.emulator.goes_wrong({"kind": "deny", "operation": "DeleteRule", "times": 99})
    await slipway.follow(connection="prod")
    assert await slipway.states() == ["COMPLETED"]
    assert len(await slipway.rules()) == 1
    slipway.emulator.goes_wrong()
    store = slipway.store
    await Leftovers({}, slipway.house.accounts, store.jobs, store.releases).look()
    assert (await slipway.rules(), await slipway.secrets()) == ([], [])
