"""Two servers over one database: what people do at the same instant is done once, in turn, and never both at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.scenarios.settings import with_rules
from tests.world import REPO, World


@pytest.fixture(autouse=True)
def people(world: World) -> None:
    """Beside alice, carol and dave may write."""
    for name in ("carol", "dave"):
        world.github.set_permission(REPO, name, "write")


@pytest.fixture
async def servers(world: World) -> AsyncIterator[tuple[str, str]]:
    """The addresses of two servers that run."""
    async with world.another_server() as second:
        yield world.address, second


async def at_once(world: World, servers: tuple[str, str], *said: tuple[int, str, str]) -> None:
    """Say these things in the same instant, each told to another server."""
    for server, (number, body, by) in zip(servers, said, strict=True):
        world.github.webhook_url = f"{server}/webhook/github"
        await world.comment(number, body, by)
    await world.settle()


async def test_two_people_deploying_to_one_environment_are_served_in_turn(
    world: World, servers: tuple[str, str]
) -> None:
    first, second = await world.open_pull("two"), await world.open_pull("three", branch="other")
    await at_once(world, servers, (first.number, "/deploy", "alice"), (second.number, "/deploy", "carol"))
    jobs = sorted(await world.jobs(), key=lambda job: job.started_at or job.created_at)
    assert [job.state.value for job in jobs] == ["COMPLETED", "COMPLETED"]
    ended, started = jobs[0].ended_at, jobs[1].started_at
    assert ended is not None
    assert started is not None
    assert ended <= started
    assert await world.serves() == {first.number: "two", second.number: "three"}[jobs[1].origin.pull_number or 0]


async def test_two_approvals_at_the_same_instant_release_a_job_once(world: World, servers: tuple[str, str]) -> None:
    await with_rules(world, "approvals: {required: 1}")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await at_once(world, servers, (pull.number, "/approve", "carol"), (pull.number, "/approve", "dave"))
    (job,) = await world.jobs()
    story = [event.type.value for event in await world.store.jobs.story(job.id)]
    assert story.count("JobReleased") == 1
    assert story.count("JobStarted") == 1
    assert await world.serves() == "two"


async def test_a_comment_told_to_both_servers_is_obeyed_once(world: World, servers: tuple[str, str]) -> None:
    pull = await world.open_pull("two")
    said = await world.comment(pull.number, "/deploy")
    assert said.delivery is not None
    world.github.webhook_url = f"{servers[1]}/webhook/github"
    await asyncio.gather(*(world.redeliver(said.delivery) for _ in range(3)))
    await world.settle()
    assert await world.states() == ["COMPLETED"]
