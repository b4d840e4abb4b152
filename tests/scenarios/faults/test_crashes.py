"""A server that ends between any two of its steps is followed by one that brings everything to its end, once."""

from __future__ import annotations

import pytest

from tests.scenarios.settings import with_rules
from tests.world import REPO, World

MOST_DEATHS = 4


async def _blue(world: World) -> int:
    await world.push("blue")
    await world.settle()
    return (await world.open_pull("green")).number


@pytest.mark.parametrize("steps", range(1, 60, 7))
async def test_a_server_that_dies_again_and_again_is_followed_to_the_same_end(world: World, steps: int) -> None:
    """Each server lives for as many steps, up to four of them; the last one lives."""
    number = await _blue(world)
    said = await world.comment(number, "/deploy")
    deaths = 0
    for _ in range(MOST_DEATHS):
        world.life.fatal_step = world.life.steps + steps
        deaths += await world.restart_when_it_dies()
    world.life.fatal_step = 0
    assert deaths > 0
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert world.checks((await world.jobs())[-1].sha) == ["shipmate / deploy: success"]
    assert ["Deployed to production" in one.body for one in world.answers(number)] == [True]
    assert world.reactions(said) == ["rocket"]
    assert world.told()[-1] == "success"
    assert len(world.told()) == 2
    assert await world.serves() == "green"
    assert world.engine.running == ["green"]


@pytest.mark.parametrize("step", range(4, 80, 10))
async def test_a_server_that_dies_while_it_undoes_is_followed_to_the_same_end(world: World, step: int) -> None:
    await _blue(world)
    world.life.fatal_step = world.life.steps + step
    sha = await world.push_files({"Dockerfile": "FROM scratch\nCMD fall\n"})
    await world.restart_when_it_dies()
    await world.settle()
    assert (await world.states())[-1] == "ROLLED_BACK"
    assert world.checks(sha) == ["shipmate / deploy: failure"]
    assert world.told()[-1] == "failure"
    assert await world.serves() == "blue"
    assert world.engine.running == ["blue"]
    assert len(world.engine.copies) == 1


@pytest.mark.parametrize("steps", range(1, 40, 9))
async def test_a_server_that_dies_while_a_job_is_held_and_approved_is_followed_to_the_same_end(
    world: World, steps: int
) -> None:
    """From the asking to the end, each server lives for as many steps."""
    await with_rules(world, "approvals: {required: 1}")
    world.github.set_permission(REPO, "carol", "write")
    number = (await world.open_pull("green")).number
    for said, by in (("/deploy", "alice"), ("/approve", "carol")):
        await world.comment(number, said, by)
        for _ in range(MOST_DEATHS):
            world.life.fatal_step = world.life.steps + steps
            await world.restart_when_it_dies()
        world.life.fatal_step = 0
        await world.settle()
    (job,) = await world.jobs()
    story = [event.type.value for event in await world.store.jobs.story(job.id)]
    assert [story.count(name) for name in ("JobHeld", "JobApproved", "JobReleased", "JobEnded")] == [1, 1, 1, 1]
    assert job.state.value == "COMPLETED"
    assert await world.serves() == "green"
