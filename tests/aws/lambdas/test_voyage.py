"""What is asked behind API Gateway goes live by the server's own stages, and each side hears of its end once."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from aws.lambdas import building
from aws.lambdas.building import order_of
from bot.clock import utc_now
from bot.composition.desks import program_desk
from bot.desk.asked import GIVEN_UP_AFTER, AskedDesk
from bot.errors import Transient
from bot.model import JobState, Stage
from bot.ports.images import RemoteOrder
from tests.aws.lambdas.quay import Quay
from tests.patience import ENOUGH_S
from tests.world import REPO

EVERY_STATE = ["PENDING", "PROCESSING", "BUILDING", "PUSHING", "DEPLOYING", "VERIFYING", "COMPLETED"]


async def shown(quay: Quay, deployment: str, *limits: str) -> dict[str, Any]:
    """What the server's own API says of it, to a key that is limited to these repositories."""
    _, key = await quay.store.keys.create("tests", utc_now(), limits)
    address = f"{quay.address}/api/v1/deployments/{deployment}"
    async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session, session.get(address) as answer:
        return dict(await answer.json())


def states(data: dict[str, Any]) -> list[str]:
    return [step["status"] for step in data["steps"]]


async def test_what_is_asked_for_there_is_shown_to_keys_that_see_its_repository(open_quay: Quay) -> None:
    reply = await open_quay.ask()
    assert (await shown(open_quay, reply.id, "acme/*"))["data"]["deploymentId"] == reply.id
    assert (await shown(open_quay, reply.id, "example/*"))["errorCode"] == "DEPLOYMENT_NOT_FOUND"


async def test_it_is_built_by_the_lambda_and_shipped_by_the_server(open_quay: Quay) -> None:
    quay = open_quay
    sha = await quay.push("one")
    reply = await quay.ask()
    await quay.works()
    asked = await quay.asked(reply.id)
    await quay.push("two, which nobody asked for")
    await quay.takes_over()
    job = await quay.store.jobs.get(reply.id)
    assert job is not None
    assert (job.state, job.sha, job.ref, job.origin.actor) == (JobState.COMPLETED, sha, "main", "alice")
    assert await quay.walked(reply.id) == EVERY_STATE
    assert (await quay.asked(reply.id)).outcome["url"] == quay.network.url
    assert [build.id for build in await quay.builds()] == [asked.build_id]
    assert await quay.answers_people() == "200 one"
    assert quay.checks(sha) == ["shipmate / deploy: success"]
    (trail,) = [entry for entry in await quay.store.audit.of_job(reply.id) if entry.entry.outcome == "acted"]
    assert (trail.entry.actor, trail.entry.face, trail.entry.sha) == ("alice", "table", sha)


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": "FROM scratch\nCMD serve one\n"},
        {
            "Dockerfile": None,
            "requirements.txt": "flask==3.0\n",
            "app.py": "from flask import Flask\napp = Flask('x')\n",
        },
    ],
)
async def test_the_server_would_have_ordered_the_very_same_build(
    quay: Quay, monkeypatch: pytest.MonkeyPatch, files: dict[str, str | None]
) -> None:
    ordered: list[RemoteOrder] = []

    def noted(*given: Any) -> RemoteOrder:
        ordered.append(order_of(*given))
        return ordered[-1]

    monkeypatch.setattr(building, "order_of", noted)
    await quay.github.push(REPO, branch="next", files=files)
    reply = await quay.ask("next")
    await quay.works()
    await quay.takes_over()
    facts = await quay.store.jobs.facts(reply.id)
    assert facts[Stage.BUILD]["order"] == asdict(ordered[0])


async def test_the_servers_api_shows_it_before_and_after_there_is_a_job(quay: Quay) -> None:
    reply = await quay.ask()
    pending = (await shown(quay, reply.id))["data"]
    assert (pending["status"], states(pending), pending["owner"]) == ("PENDING", ["PENDING"], "acme")
    await quay.works()
    building = (await shown(quay, reply.id))["data"]
    assert (building["status"], states(building)) == ("BUILDING", ["PENDING", "PROCESSING", "BUILDING"])
    await quay.takes_over()
    job = (await shown(quay, reply.id))["data"]
    assert job["createdAt"] == building["createdAt"]
    assert job["steps"][0] == building["steps"][0]
    assert job.keys() >= building.keys()
    assert (await shown(quay, "dep_0000000000"))["errorCode"] == "DEPLOYMENT_NOT_FOUND"


async def test_a_failing_build_is_told_everywhere_by_the_job_that_follows_it(quay: Quay) -> None:
    sha = await quay.push("one", "fail tests")
    reply = await quay.ask()
    await quay.works()
    await quay.takes_over()
    asked = await quay.asked(reply.id)
    assert await quay.walked(reply.id) == ["PENDING", "PROCESSING", "BUILDING", "FAILED"]
    assert asked.outcome["errorCode"] == "DOCKER_BUILD_FAILED"
    assert asked.outcome["errorMessage"] == (await shown(quay, reply.id))["data"]["errorMessage"]
    assert quay.checks(sha) == ["shipmate / deploy: failure"]
    await quay.hears(reply.id)
    assert await quay.asked(reply.id) == asked


async def test_what_a_lock_forbids_ends_with_its_holder_named_and_its_build_stopped(quay: Quay) -> None:
    quay.github.set_permission(REPO, "zoe", "maintain")
    await quay.say(await quay.github.open_issue(REPO), "/lock production --reason holidays", by="zoe")
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    await quay.works()
    await quay.takes_over()
    asked = await quay.asked(reply.id)
    assert (asked.state, asked.outcome["errorCode"]) == (JobState.FAILED, "ENVIRONMENT_LOCKED")
    assert "zoe" in asked.outcome["errorMessage"]
    await quay.works()
    assert (await quay.built(reply.id)).status == "STOPPED"
    assert await quay.store.jobs.get(reply.id) is None


async def test_a_cancelled_job_is_cancelled_in_the_table(quay: Quay) -> None:
    await quay.push("one", f"until {quay.folder / 'never'}")
    reply = await quay.ask()
    await quay.works()
    await quay.looks()
    await quay.until_state("BUILDING")
    await quay.store.jobs.ask_cancel(reply.id, "alice", utc_now())
    await quay.settle()
    assert (await quay.walked(reply.id))[-1] == "CANCELLED"
    assert (await quay.built(reply.id)).status == "STOPPED"


@pytest.mark.parametrize("killed", [False, True])
async def test_a_job_that_is_cancelled_while_it_waits_its_turn_leaves_no_build_running(
    quay: Quay, killed: bool
) -> None:
    await quay.push("one", f"until {quay.folder / 'never'}")
    first = await quay.ask()
    await quay.works()
    await quay.looks()
    await quay.until_state("BUILDING")
    second = await quay.ask()
    await quay.works()
    await quay.looks()
    await quay.store.jobs.ask_cancel(second.id, "alice", utc_now())
    if killed:
        await quay.abandon()
        await quay.start()
    await quay.store.jobs.ask_cancel(first.id, "alice", utc_now())
    await quay.settle()
    assert await quay.walked(second.id) == ["PENDING", "PROCESSING", "BUILDING", "CANCELLED"]
    assert (await quay.store.jobs.facts(second.id)).get(Stage.BUILD) is None
    await quay.works()
    assert (await quay.built(second.id)).status == "STOPPED"


async def test_a_server_that_dies_between_job_and_table_makes_one_job(quay: Quay) -> None:
    reply = await quay.ask()
    await quay.works()
    assert quay.house.tables is not None

    class Cut:
        """The table, which the server's word does not reach."""

        def __getattr__(self, name: str) -> Any:
            return getattr(quay.table, name)

        async def change(self, *_: object) -> None:
            raise Transient("aws_unavailable", operation="dynamodb.PutItem", message="cut")

    tables = replace(quay.house.tables, deployments=Cut())
    desk = AskedDesk(tables, program_desk(quay.house), quay.store.jobs, quay.store.audit, utc_now)
    assert await desk.look() == 0
    assert len(await quay.jobs()) == 1
    await quay.takes_over()
    assert [job.id for job in await quay.jobs()] == [reply.id]
    assert (await quay.asked(reply.id)).waits is None


async def test_what_no_lambda_ever_worked_on_is_the_servers_after_a_quarter_of_an_hour(open_quay: Quay) -> None:
    quay = open_quay
    reply = await quay.ask()
    await quay.takes_over()
    assert await quay.walked(reply.id) == ["PENDING"]
    assert quay.house.tables is not None
    later = utc_now() + GIVEN_UP_AFTER + timedelta(seconds=1)
    desk = AskedDesk(quay.house.tables, program_desk(quay.house), quay.store.jobs, quay.store.audit, lambda: later)
    assert await desk.look() == 1
    await quay.works()
    await quay.settle()
    assert await quay.walked(reply.id) == EVERY_STATE
    assert len(await quay.builds()) == 1


async def test_two_servers_that_look_at_once_make_one_job(quay: Quay) -> None:
    reply = await quay.ask()
    await quay.works()
    assert quay.house.tables is not None
    desk = AskedDesk(quay.house.tables, program_desk(quay.house), quay.store.jobs, quay.store.audit, utc_now)
    await asyncio.gather(*(desk.look() for _ in range(4)))
    await quay.takes_over()
    assert [job.id for job in await quay.jobs()] == [reply.id]
    assert (await quay.asked(reply.id)).waits is None


@pytest.mark.parametrize("fatal_step", [1, 4, 11])
async def test_a_server_that_dies_on_the_way_ships_it_all_the_same(open_quay: Quay, fatal_step: int) -> None:
    quay = open_quay
    await quay.push("one")
    reply = await quay.ask()
    await quay.works()
    quay.life.fatal_step = quay.life.steps + fatal_step
    looking = asyncio.create_task(quay.looks())
    async with asyncio.timeout(ENOUGH_S):
        await quay.life.over.wait()
    await quay.abandon()
    await asyncio.gather(looking, return_exceptions=True)
    await quay.start()
    await quay.takes_over()
    assert await quay.walked(reply.id) == EVERY_STATE
    assert [job.id for job in await quay.jobs()] == [reply.id]
    assert len(await quay.builds()) == 1
    assert await quay.answers_people() == "200 one"
