"""The line as Slack shows it: the head message of one that waits, and `/shipmate queue`."""

from __future__ import annotations

from tests.slack.world import ALICE, CHEN, SlackWorld
from tests.world import REPO


async def test_a_waiting_job_shows_its_place_in_its_own_message_and_queue_tells_all(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await world.link(CHEN, "carol")
    await world.push("one", "wait", branch="one")
    await world.push("two", branch="two")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@one to staging", ALICE, "C0DEPLOYS")
    await world.until(world.engine.building.is_set)
    await world.slack.say_command("/shipmate", f"deploy {REPO}@two to staging", CHEN, "C0DEPLOYS")
    await world.until(lambda: any("You're next: 1 ahead" in head for head in world.heads()))
    await world.slack.say_command("/shipmate", f"queue {REPO} staging", ALICE, "C0DEPLOYS")
    await world.until(lambda: any("Queue of acme/api" in said for said in world.whispers(ALICE)))
    assert "carol" in world.whispers(ALICE)[-1]
    assert "running for" in world.whispers(ALICE)[-1]
    world.engine.go_on.set()
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert not any("ahead" in head for head in world.heads())
