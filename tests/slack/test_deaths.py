"""What Slack and a sudden death do to us together: nothing is said twice, nothing is left unsaid."""

from __future__ import annotations

import pytest

from tests.slack.test_dialog import chosen
from tests.slack.world import ALICE, DEPLOYS, SlackWorld
from tests.world import REPO

MOST_DEATHS = 3


async def said_once(world: SlackWorld) -> None:
    """One job, one message for it, each stage once, the end once."""
    assert await world.states() == ["COMPLETED"]
    assert ["*Deployed to production*" in head for head in world.heads()] == [True]
    stages = [line for text in world.thread() for line in text.splitlines() if "✅" in line]
    assert len(stages) == len(set(stages)) == 6
    assert sum("Deployed to production" in text for text in world.thread()) == 1


async def lived_on(world: SlackWorld, steps: int) -> None:
    """Each server lives for as many steps; the last one lives."""
    deaths = 0
    for _ in range(MOST_DEATHS):
        world.life.fatal_step = world.life.steps + steps
        deaths += await world.restart_when_it_dies()
    world.life.fatal_step = 0
    assert deaths > 0
    await world.settle()


@pytest.mark.parametrize("steps", range(1, 50, 11))
async def test_a_server_that_dies_again_and_again_tells_the_job_once(world: SlackWorld, steps: int) -> None:
    await world.slack.say_command("/shipmate", f"deploy {REPO}", ALICE, DEPLOYS)
    await lived_on(world, steps)
    await said_once(world)


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_a_dialog_that_was_taken_is_obeyed_by_the_next_server(world: SlackWorld, steps: int) -> None:
    await world.type("deploy")
    world.life.fatal_step = world.life.steps + steps
    await world.slack.submit_view(ALICE, {"repository": chosen(REPO)})
    assert await world.restart_when_it_dies()
    await world.settle()
    await said_once(world)


@pytest.mark.parametrize("skip", [0, 1, 2])
async def test_a_server_that_dies_after_it_posted_and_before_it_noted_that_finds_its_words_again(
    world: SlackWorld, skip: int
) -> None:
    posted = world.slack.faults.add("lose_reply", on="chat.postMessage", skip=skip)
    await world.slack.say_command("/shipmate", f"deploy {REPO}", ALICE, DEPLOYS)
    await world.until(lambda: posted.count == 0)
    await world.abandon()
    await world.start()
    await world.settle()
    await said_once(world)


async def test_a_channel_that_is_deleted_in_the_middle_ends_the_telling_and_not_the_work(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    await world.until(world.heads)
    world.slack.delete_channel(DEPLOYS)
    await world.store.jobs.ask_cancel(job.id, "alice", job.created_at)
    await world.settle()
    assert await world.states() == ["CANCELLED"]
    state = await world.store.reports.state("slack", job.id)
    assert state is not None
    assert state["gone"] == "channel_not_found"


async def test_an_answer_whose_address_is_over_reaches_the_person_another_way(world: SlackWorld) -> None:
    world.github.faults.add("delay", path="/installation$", seconds=0.3)
    await world.slack.say_command("/shipmate", f"status {REPO}", ALICE, DEPLOYS)
    world.slack.clock.advance(31 * 60)
    await world.settle()
    assert "Nothing has been deployed yet" in world.whispers()[-1]
    assert [request.method for request in world.slack.requests][-1] == "chat.postEphemeral"
