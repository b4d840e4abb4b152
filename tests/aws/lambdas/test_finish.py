"""How a build ended is told once, by the Lambda where the server has not taken the deployment over, else by its job."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from aws.builds import Build
from aws.lambdas.finish import Foreman
from bot.asked import Waits
from bot.model import JobState
from tests.aws.lambdas.quay import Quay, build_event


async def begun(quay: Quay, *steps: str, language: str = "en") -> str:
    """A deployment whose build was begun."""
    await quay.push("one", *steps)
    reply = await quay.ask(accept_language=language)
    await quay.works()
    return reply.id


async def test_an_image_that_is_built_is_pushed_too(quay: Quay) -> None:
    deployment = await begun(quay)
    await quay.built(deployment)
    await quay.hears(deployment)
    asked = await quay.asked(deployment)
    assert (asked.state, asked.waits) == (JobState.PUSHING, Waits.SERVER)


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_a_build_that_fails_ends_the_deployment_with_its_phase(quay: Quay, language: str) -> None:
    deployment = await begun(quay, "fail tests", language=language)
    await quay.built(deployment)
    await quay.hears(deployment)
    asked = await quay.asked(deployment)
    assert (asked.state, asked.waits, asked.outcome["errorCode"]) == (
        JobState.FAILED,
        Waits.SERVER,
        "DOCKER_BUILD_FAILED",
    )
    assert "BUILD" in asked.outcome["errorMessage"]
    assert any("가" <= letter <= "힣" for letter in asked.outcome["errorMessage"]) is (language == "ko")


async def test_what_is_told_twice_is_written_once(quay: Quay) -> None:
    deployment = await begun(quay)
    await quay.built(deployment)
    await quay.hears(deployment)
    once = await quay.asked(deployment)
    await quay.hears(deployment)
    assert await quay.asked(deployment) == once


async def test_a_build_that_ends_sooner_than_its_beginning_is_written_is_written_then(quay: Quay) -> None:
    deployment = await begun(quay)
    build = await quay.built(deployment)
    written = await quay.asked(deployment)
    before = replace(written, steps=written.steps[:2], build_id=None, waits=Waits.WORK)
    assert await quay.table.change(written, before) is not None
    await quay.hears(deployment)
    assert await quay.walked(deployment) == ["PENDING", "PROCESSING", "BUILDING", "PUSHING"]
    assert (await quay.asked(deployment)).build_id == build.id


async def test_a_build_of_no_deployment_in_the_table_is_nobodys_here(quay: Quay) -> None:
    deployment = await begun(quay)
    build = await quay.built(deployment)

    async def look(_: str) -> Build | None:
        return replace(build, job_id="dep_elsewhere1")

    await Foreman(quay.table, look).hear(build_event(build.id))
    assert await quay.walked(deployment) == ["PENDING", "PROCESSING", "BUILDING"]


async def test_what_the_server_took_over_is_the_servers_to_tell(quay: Quay) -> None:
    deployment = await begun(quay, "fail tests")
    await quay.built(deployment)
    written = await quay.asked(deployment)
    taken = await quay.table.change(written, replace(written, waits=None))
    await quay.hears(deployment)
    assert await quay.asked(deployment) == taken


async def test_each_call_of_it_may_go_wrong_once(quay: Quay) -> None:
    deployment = await begun(quay)
    await quay.built(deployment)
    building = await quay.asked(deployment)
    for kind, call in itertools.product(["throttle", "reset", "cut"], CALLS):
        service, _, operation = call.partition(".")
        quay.emulator.goes_wrong({"kind": kind, "service": service, "operation": operation})
        await quay.hears(deployment)
        assert quay.emulator.fired() == [1]
        quay.emulator.goes_wrong()
        told = await quay.asked(deployment)
        assert [step.state for step in told.steps[3:]] == [JobState.PUSHING]
        assert await quay.table.change(told, building) is not None


CALLS = ["codebuild.BatchGetBuilds", "dynamodb.GetItem", "dynamodb.PutItem"]
