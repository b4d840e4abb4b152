"""The line before an environment: who stands where, how long it will be, and who is told when it moves."""

from __future__ import annotations

import pytest

from bot.model import EventType
from tests.world import REPO, World


@pytest.fixture(autouse=True)
async def _people(world: World) -> None:
    for name in ("carol", "dave"):
        world.github.set_permission(REPO, name, "maintain")


def shown(world: World, number: int) -> str:
    return "\n".join(comment.body for comment in world.answers(number))


async def three_in_line(world: World) -> list[int]:
    """Alice's runs, carol's and dave's wait; the numbers of their pull requests."""
    numbers = []
    for name in ("alice", "carol", "dave"):
        pull = await world.open_pull(name, *(["wait"] if name == "alice" else []), branch=name, by=name)
        numbers.append(pull.number)
    await world.comment(numbers[0], "/deploy to staging")
    await world.until(world.engine.building.is_set)
    for number, name in zip(numbers[1:], ("carol", "dave"), strict=True):
        await world.comment(number, "/deploy to staging", by=name)
        await world.until(lambda number=number: "ahead in the queue" in shown(world, number))  # type: ignore[misc]
    return numbers


async def test_the_line_is_shown_with_places_and_honest_about_time(world: World) -> None:
    _, second, third = await three_in_line(world)
    assert "You're next: 1 ahead in the queue of `staging`; how long is not known" in shown(world, second)
    assert "2 ahead in the queue of `staging`" in shown(world, third)
    await world.comment(third, "/queue", by="bob")
    await world.until(lambda: "Queue of acme/api" in shown(world, third))
    rows = [line for line in shown(world, third).splitlines() if line.startswith(("| 1", "| 2", "| 3"))]
    assert [row.split(" | ")[0] for row in rows] == ["| 1", "| 2", "| 3"]
    assert [name in row for name, row in zip(("alice", "carol", "dave"), rows, strict=True)] == [True] * 3
    assert "running for" in rows[0]
    assert "not known yet" in rows[1]
    world.engine.go_on.set()
    await world.settle()


async def test_those_who_wait_see_the_line_move_in_the_one_comment_they_have(world: World) -> None:
    _, second, third = await three_in_line(world)
    before = len(world.answers(third))
    await world.comment(second, "/cancel", by="carol")
    await world.until(lambda: "You're next: 1 ahead" in shown(world, third))
    assert len(world.answers(third)) == before == 1
    world.engine.go_on.set()
    await world.settle()
    assert await world.states() == ["COMPLETED", "CANCELLED", "COMPLETED"]
    moves = [event.details for event in await world.store.jobs.story((await world.jobs())[2].id)
             if event.type is EventType.LINE_MOVED]  # fmt: skip
    assert moves == [{"ahead": 1}]


async def test_an_estimate_is_the_usual_time_of_the_last_jobs_there(world: World) -> None:
    pull = await world.open_pull("zero", branch="zero")
    await world.say(pull.number, "/deploy to staging")
    (job,) = await world.jobs()
    assert job.started_at is not None
    assert job.ended_at is not None
    took = (job.ended_at - job.started_at).total_seconds()
    assert await world.store.jobs.lane_seconds(job.lane) == [pytest.approx(took)]
    _, second, third = await three_in_line(world)
    for number in (second, third):
        assert "how long is not known" not in shown(world, number)
        assert "it starts" in shown(world, number)
    world.engine.go_on.set()
    await world.settle()


async def test_an_empty_line_is_said_to_be_empty(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/queue\n/queue staging")
    assert shown(world, pull.number).count("Nobody waits, and nothing runs.") == 2
