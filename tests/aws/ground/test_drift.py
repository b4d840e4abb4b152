"""What is changed on ECS behind our back is told once, where people look, and left as it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from aws.clients import AwsClients
from bot.clock import utc_now
from bot.jobs.deploy.rollout.drift import Drift
from tests.aws.emulator.handle import Emulator
from tests.aws.harbour import Harbour, afloat, new_folder
from tests.aws.network import Network
from tests.patience import ENOUGH_S
from tests.world import REPO

GATE = {"requests": 3, "p95_slack_ms": 10_000}


@pytest.fixture
async def harbour(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Harbour]:
    """A world where version one serves."""
    async with afloat(Harbour(new_folder(), emulator, clients, network)) as harbour:
        await harbour.sail(gate=GATE)
        await harbour.ship("one")
        yield harbour


@pytest.fixture
def drift(harbour: Harbour) -> Drift:
    return anew(harbour)


def anew(harbour: Harbour) -> Drift:
    """As a server that was started a moment ago has it."""
    store = harbour.store
    house = harbour.house
    return Drift(house.engines, house.accounts, store.jobs, store.releases, store.audit, utc_now)


async def trail(harbour: Harbour) -> list[str]:
    """What the audit trail was told, oldest first."""
    records = [one for job in await harbour.jobs() for one in await harbour.store.audit.of_job(job.id)]
    return [f"{one.entry.outcome} {one.entry.reason}" for one in records if one.entry.command == "drift"]


async def answered(harbour: Harbour, number: int, command: str) -> str:
    """What somebody who asks is told."""
    await harbour.say(number, command)
    return harbour.github.comments(REPO, number)[-1].body


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is told of releases."""
    caplog.set_level(logging.WARNING, "shipmate.upkeep")
    return caplog


async def by_hand(harbour: Harbour, operation: str, **asked: object) -> None:
    """Somebody changes the service at AWS."""
    service = f"shipmate-{(await harbour.jobs())[0].repository.id}-production"
    await harbour.clients.call("ecs", operation, cluster=harbour.network.cluster, service=service, **asked)


async def test_what_is_as_we_believe_is_told_to_nobody_and_takes_two_calls(
    harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture
) -> None:
    harbour.clients.calls.clear()
    await drift.look()
    assert told.messages == []
    assert harbour.clients.calls == {"ecs.DescribeServices": 1, "ecs.ListServiceDeployments": 1}


async def test_a_deployment_made_by_hand_is_told_while_it_goes_on_and_when_it_serves(
    harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture
) -> None:
    harbour.emulator.is_like(lasts_s={"BAKE_TIME": 60.0})
    plain = {"strategy": "BLUE_GREEN", "lifecycleHooks": []}
    first = f"{harbour.network.name}:1"
    await by_hand(harbour, "UpdateService", taskDefinition=first, deploymentConfiguration=plain)
    await drift.look()
    harbour.emulator.is_like(lasts_s={})
    async with asyncio.timeout(ENOUGH_S):
        while await under_way(harbour):
            pass
    await drift.look()
    await drift.look()
    assert told.messages == [
        "a live release: a rollout that no job of ours began is under way",
        "a live release: another version serves in its place",
    ]
    await harbour.ship("two")
    await drift.look()
    assert len(told.messages) == 2
    assert await trail(harbour) == ["failed rollout_not_ours", "failed revision_not_ours"]


async def test_what_was_found_stands_where_people_look_until_it_is_over_and_a_restart_tells_nothing_twice(
    harbour: Harbour, drift: Drift
) -> None:
    pull = (await harbour.open_pull("two")).number
    await harbour.ship("three")
    job = (await harbour.jobs())[-1].id
    await served_by_hand(harbour, 1)
    await drift.look()
    await anew(harbour).look()
    status = await answered(harbour, pull, "/status")
    assert f"`production`: another version serves in its place. When that was found: `/why {job}`" in status
    await served_by_hand(harbour, 3)
    await drift.look()
    await anew(harbour).look()
    assert "⚠️" not in await answered(harbour, pull, "/status")
    assert await trail(harbour) == ["failed revision_not_ours", "acted as_believed"]
    assert "revision_not_ours" in await answered(harbour, pull, f"/why {job}")


async def served_by_hand(harbour: Harbour, revision: int) -> None:
    """Somebody puts a revision in place, and waits for it."""
    plain = {"strategy": "BLUE_GREEN", "lifecycleHooks": []}
    definition = f"{harbour.network.name}:{revision}"
    await by_hand(harbour, "UpdateService", taskDefinition=definition, deploymentConfiguration=plain)
    async with asyncio.timeout(ENOUGH_S):
        while await under_way(harbour):
            pass


async def under_way(harbour: Harbour) -> bool:
    """Whether the newest deployment is not over."""
    service = f"shipmate-{(await harbour.jobs())[0].repository.id}-production"
    reply = await harbour.clients.call(
        "ecs", "ListServiceDeployments", cluster=harbour.network.cluster, service=service
    )
    return bool(reply["serviceDeployments"][0]["status"] != "SUCCESSFUL")


async def test_a_service_that_was_deleted_is_told(
    harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture
) -> None:
    await by_hand(harbour, "DeleteService", force=True)
    await drift.look()
    assert told.messages == ["a live release: its service is gone"]


async def test_a_rollout_that_went_wrong_both_ways_is_told(
    harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture
) -> None:
    harbour.emulator.is_like(rollbacks_fail=True)
    await harbour.ship_that("exit 3")
    told.clear()
    await drift.look()
    assert told.messages == ["a live release: its newest rollout went wrong both ways; somebody has to look"]


async def test_what_a_job_changes_is_left_alone(harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture) -> None:
    harbour.emulator.is_like(lasts_s={"BAKE_TIME": 60.0})
    await harbour.push("two")
    async with asyncio.timeout(ENOUGH_S):
        while not await under_way(harbour):
            pass
    await drift.look()
    assert told.messages == []
    harbour.emulator.is_like(lasts_s={})
    await harbour.settle()


async def test_an_aws_that_does_not_answer_is_told_and_asked_again(
    harbour: Harbour, drift: Drift, told: pytest.LogCaptureFixture
) -> None:
    harbour.emulator.goes_wrong({"kind": "deny", "operation": "DescribeServices", "times": 2})
    await drift.look()
    await drift.look()
    assert told.messages == ["a live release: it could not be asked what serves (aws_denied)"]
    assert await trail(harbour) == ["failed not_asked"]
    await drift.look()
    assert await trail(harbour) == ["failed not_asked", "acted as_believed"]


async def test_an_aws_that_is_busy_for_a_moment_is_told_to_nobody(harbour: Harbour, drift: Drift) -> None:
    harbour.emulator.goes_wrong({"kind": "throttle", "operation": "DescribeServices", "times": 9})
    await drift.look()
    assert await trail(harbour) == []
