"""A push whose image CodeBuild makes goes the way of any: told while it builds, built once, stopped when unwanted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from aws.clients import AwsClients
from tests.aws.emulator.handle import Emulator
from tests.aws.foundry import BUILDS, Foundry
from tests.aws.harbour import afloat, new_folder
from tests.aws.network import Network
from tests.patience import ENOUGH_S

GATE = {"requests": 3, "p95_slack_ms": 10_000}
"""How fast a busy machine answers decides nothing here."""
NODE = {
    "Dockerfile": None,
    "package.json": json.dumps({"scripts": {"start": "node server.js"}, "dependencies": {"express": "4.19.2"}}),
    "server.js": "require('express')().listen(8000)\n",
}


@pytest.fixture
async def foundry(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Foundry]:
    async with afloat(Foundry(new_folder(), emulator, clients, network)) as foundry:
        yield foundry


async def until_line(foundry: Foundry, words: str) -> None:
    """Until the newest job's log holds it."""
    async with asyncio.timeout(ENOUGH_S):
        while not any(words in line for line in await foundry.lines()):  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0.02)


async def test_codebuild_builds_what_was_pushed_and_the_docker_engine_nothing(foundry: Foundry) -> None:
    await foundry.found(gate=GATE)
    foundry.engine.built.clear()
    sha = await foundry.push("one", "echo hello")
    await foundry.settle()
    assert await foundry.states() == ["COMPLETED"] * 2
    assert await foundry.answers_people() == "200 one"
    assert foundry.checks(sha) == ["shipmate / deploy: success"]
    assert foundry.engine.built == []
    assert await foundry.lines() == ["#2 0.100 hello"]
    job = (await foundry.jobs())[-1]
    assert job.result["newImageUri"].startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-api@sha256:")
    assert job.result["metrics"]["dockerBuildDuration"] > 0
    said = "\n".join(await foundry.said())
    for part in ("Dockerfile found: Dockerfile", "built by codebuild", "BUILD done in", "The build pushed the image"):
        assert part in said
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED"] * 2


async def test_a_dockerfile_that_was_generated_is_built_where_it_is_not_in_the_repository(foundry: Foundry) -> None:
    foundry.equip()
    await foundry.github.push("acme/api", files=NODE)
    await foundry.settle()
    await foundry.found(gate=GATE)
    assert (await foundry.jobs())[-1].error_message is None
    assert await foundry.answers_people() == "200 server.js"


async def test_a_build_that_fails_says_phase_and_instruction_and_keeps_its_log(foundry: Foundry) -> None:
    await foundry.found()
    pull = await foundry.open_pull("one", "echo about to fail", "fail badly")
    async with foundry.people() as seen:
        await foundry.say(pull.number, "/deploy")
    job = (await foundry.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "codebuild_failed")
    assert "The build failed in BUILD: `RUN fail badly` ended with exit code 1" in foundry.answer(pull.number)
    assert job.result["failure"]["path"] == "Dockerfile"
    assert [(remark["path"], remark["line"]) for remark in job.result["failure"]["remarks"]] == [("Dockerfile", 3)]
    assert "#2 0.100 about to fail" in await foundry.lines()
    assert set(seen) == {"200 zero"}


async def test_a_server_that_comes_after_the_end_says_as_much_of_a_failure(foundry: Foundry) -> None:
    await foundry.found()
    gate = foundry.folder / "gate"
    await foundry.push("one", "echo begun", f"until {gate}", "fail badly")
    await until_line(foundry, "begun")
    await foundry.stop()
    gate.touch()
    await foundry.start()
    await foundry.settle()
    job = (await foundry.jobs())[-1]
    assert "The build failed in BUILD: `RUN fail badly` ended with exit code 1" in str(job.error_message)
    assert [(remark["path"], remark["line"]) for remark in job.result["failure"]["remarks"]] == [("Dockerfile", 4)]


async def test_a_build_that_fails_elsewhere_says_which_command(foundry: Foundry) -> None:
    await foundry.found()
    (foundry.folder / "programs" / "aws").write_text("#!/bin/sh\necho no credentials >&2\nexit 254\n")
    (foundry.folder / "programs" / "docker").write_text("#!/bin/sh\nexit 7\n")
    sha = await foundry.ship("one")
    job = (await foundry.jobs())[-1]
    assert job.result["failure"].get("phase", job.error_message) == "PRE_BUILD"
    assert "docker login" in str(job.error_message)
    assert foundry.checks(sha) == ["shipmate / deploy: failure"]


async def test_a_generated_step_that_fails_names_the_setting_that_mends_it(foundry: Foundry) -> None:
    foundry.equip(breaks="RUN")
    await foundry.github.push("acme/api", files=NODE)
    await foundry.settle()
    await foundry.sail(ecs=BUILDS)
    job = (await foundry.jobs())[-1]
    assert job.error_code == "codebuild_failed"
    assert "set `build.install` in `.shipmate.yml`" in str(job.error_message)


async def test_a_cancelled_deployment_really_stops_its_build(foundry: Foundry) -> None:
    await foundry.found()
    pull = await foundry.open_pull("one", "echo begun", "until /nonexistent")
    async with foundry.people() as seen:
        await foundry.comment(pull.number, "/deploy")
        await until_line(foundry, "begun")
        await foundry.say(pull.number, "/cancel")
    job = (await foundry.jobs())[-1]
    assert (job.state.value, job.error_code) == ("CANCELLED", "cancelled")
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED", "STOPPED"]
    assert set(seen) == {"200 zero"}


async def test_a_build_that_takes_too_long_is_stopped_at_the_stages_limit(foundry: Foundry) -> None:
    await foundry.found()
    await foundry.stop()
    foundry.stage_limit_s = 2.0
    await foundry.start()
    await foundry.push("one", "until /nonexistent")
    await foundry.settle()
    job = (await foundry.jobs())[-1]
    assert (job.state.value, job.error_code) == ("TIMED_OUT", "stage_timeout")
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED", "STOPPED"]


async def test_a_server_that_is_restarted_leaves_the_build_alone_and_follows_it_on(foundry: Foundry) -> None:
    await foundry.found(gate=GATE)
    gate = foundry.folder / "gate"
    await foundry.push("one", "echo begun", f"until {gate}", "echo ended")
    await until_line(foundry, "begun")
    await foundry.stop()
    gate.touch()
    await foundry.start()
    await foundry.settle()
    assert await foundry.states() == ["COMPLETED"] * 2
    assert await foundry.lines() == ["#2 0.100 begun", "#4 0.100 ended"]
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED"] * 2
    assert len([line for line in await foundry.said() if "Cloned" in line]) == 1


@pytest.mark.parametrize("steps", [1, 3, 8])
async def test_a_server_that_dies_again_and_again_builds_once_and_tells_no_line_twice(
    foundry: Foundry, steps: int
) -> None:
    """Each server lives for as many steps, up to six of them; the last one lives."""
    await foundry.found(gate=GATE)
    deaths = 0
    async with foundry.people() as seen:
        await foundry.push("one", *(f"echo line {number}" for number in range(20)))
        for _ in range(6):
            foundry.life.fatal_step = foundry.life.steps + steps
            deaths += await foundry.restart_when_it_dies()
        foundry.life.fatal_step = 0
        await foundry.settle()
    assert deaths > 0
    assert await foundry.states() == ["COMPLETED"] * 2
    assert await foundry.lines() == [f"#{number + 2} 0.100 line {number}" for number in range(20)]
    phases = [message for message in await foundry.said() if " done in " in message and "BUILD" in message]
    assert len(phases) == len(set(phases))
    assert len(await foundry.builds()) == 2
    assert set(seen) == {"200 zero", "200 one"}


CALLS = [
    *("DescribeRepositories", "BatchGetProjects", "CreateProject", "ListBuildsForProject", "StartBuild"),
    *("BatchGetBuilds", "GetLogEvents"),
]


@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
async def test_calls_that_go_wrong_build_once_all_the_same(foundry: Foundry, kind: str) -> None:
    foundry.emulator.goes_wrong(*({"kind": kind, "operation": operation, "times": 2} for operation in CALLS))
    await foundry.found(gate=GATE)
    assert [fired > 0 for fired in foundry.emulator.fired()] == [True] * len(CALLS)
    assert await foundry.states() == ["COMPLETED"]
    assert len(await foundry.builds()) == 1
    assert await foundry.answers_people() == "200 zero"


async def test_a_rollback_takes_the_image_that_was_built(foundry: Foundry) -> None:
    await foundry.found(gate=GATE)
    await foundry.ship("one")
    number = (await foundry.open_pull("two")).number
    await foundry.say(number, "/rollback")
    assert await foundry.states() == ["COMPLETED"] * 3
    assert await foundry.answers_people() == "200 zero"
    assert len(await foundry.builds()) == 2


async def test_a_rehearsal_builds_and_leaves_everything_else(foundry: Foundry) -> None:
    await foundry.found(gate=GATE)
    number = (await foundry.open_pull("two")).number
    await foundry.say(number, "/deploy --noop")
    job = (await foundry.jobs())[-1]
    assert (job.state.value, job.result["noop"]) == ("COMPLETED", True)
    assert await foundry.answers_people() == "200 zero"
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED"] * 2


async def test_what_the_role_may_not_do_is_named_and_ends_the_build(foundry: Foundry) -> None:
    await foundry.found()
    foundry.emulator.goes_wrong({"kind": "deny", "operation": "GetLogEvents", "times": 99})
    await foundry.ship("one")
    job = (await foundry.jobs())[-1]
    assert job.error_code == "aws_denied"
    assert "`logs:GetLogEvents`" in str(job.error_message)


async def test_without_a_role_for_builds_the_settings_are_refused(foundry: Foundry) -> None:
    sha = await foundry.push_files({".shipmate.yml": "environments: {production: {ecs: {builder: codebuild}}}"})
    await foundry.settle()
    assert "CodeBuild needs codebuild: {service_role" in str(foundry.check_run(sha).summary)
