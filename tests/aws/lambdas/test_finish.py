"""How a build ended is told once, by the Lambda where the server has not taken the deployment over, else by its job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.asked import Waits
from bot.errors import Transient
from bot.model import JobState
from tests.aws.lambdas.quay import Quay


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


@pytest.mark.parametrize(("language", "word"), [("en", "BUILD"), ("ko", "BUILD")])
async def test_a_build_that_fails_ends_the_deployment_with_its_phase(quay: Quay, language: str, word: str) -> None:
    deployment = await begun(quay, "fail tests", language=language)
    await quay.built(deployment)
    await quay.hears(deployment)
    asked = await quay.asked(deployment)
    assert (asked.state, asked.waits, asked.outcome["errorCode"]) == (JobState.FAILED, None, "DOCKER_BUILD_FAILED")
    assert word in asked.outcome["errorMessage"]
    assert any("가" <= letter <= "힣" for letter in asked.outcome["errorMessage"]) is (language == "ko")


async def test_what_is_told_twice_is_written_once(quay: Quay) -> None:
    deployment = await begun(quay)
    await quay.built(deployment)
    await quay.hears(deployment)
    once = await quay.asked(deployment)
    await quay.hears(deployment)
    assert await quay.asked(deployment) == once


async def test_a_build_that_ends_sooner_than_its_beginning_is_written_is_told_of_again(quay: Quay) -> None:
    deployment = await begun(quay)
    await quay.built(deployment)
    written = await quay.asked(deployment)
    before = replace(written, steps=written.steps[:2], build_id=None, waits=Waits.WORK)
    assert await quay.table.change(written, before) is not None
    with pytest.raises(Transient):
        await quay.hears(deployment)


async def test_what_the_server_took_over_is_the_servers_to_tell(quay: Quay) -> None:
    deployment = await begun(quay, "fail tests")
    await quay.built(deployment)
    written = await quay.asked(deployment)
    taken = await quay.table.change(written, replace(written, waits=None))
    await quay.hears(deployment)
    assert await quay.asked(deployment) == taken


@pytest.mark.parametrize("kind", ["throttle", "reset", "cut"])
async def test_each_call_of_it_may_go_wrong_once(quay: Quay, kind: str) -> None:
    for skip in range(5):
        deployment = await begun(quay)
        await quay.built(deployment)
        quay.emulator.goes_wrong({"kind": kind, "skip": skip})
        await quay.hears(deployment)
        assert (await quay.walked(deployment))[-1] == "PUSHING"
