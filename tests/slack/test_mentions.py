"""Commands said to us by name, in a channel or in a thread, are the same commands."""

from __future__ import annotations

import pytest

from tests.slack.world import CHEN, DEPLOYS, SlackWorld, shown
from tests.world import REPO


async def test_a_mention_deploys_as_the_command_does(world: SlackWorld) -> None:
    await world.slack.mention(f"deploy {REPO} to production")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert "*Deployed to production*" in world.heads()[-1]


async def test_asked_in_a_thread_it_is_told_in_that_thread(world: SlackWorld) -> None:
    talk = world.slack.say("Shall we?")
    await world.slack.mention(f"deploy {REPO}", thread_ts=talk["ts"])
    await world.settle()
    assert len(world.heads()) == 1
    told = [shown(message) for message in world.slack.thread(DEPLOYS, talk["ts"])]
    assert "*Deployed to production*" in told[2]
    assert "Deployed to production" in told[-1]


async def test_an_event_told_again_acts_once(world: SlackWorld) -> None:
    world.slack.courier.retry_delays_s = (0.0, 0.0)
    world.slack.faults.add("duplicate", on="send:event", times=2)
    await world.slack.mention(f"deploy {REPO}")
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_one_who_is_not_linked_is_told_alone(world: SlackWorld) -> None:
    await world.slack.mention(f"deploy {REPO}", user=CHEN)
    await world.settle()
    assert await world.jobs() == []
    assert "/shipmate link" in world.whispers(CHEN)[-1]


@pytest.mark.parametrize("text", ["", "thanks, that was quick!", "help"])
async def test_talk_is_answered_with_a_hint_and_nothing_else(world: SlackWorld, text: str) -> None:
    await world.slack.mention(text)
    await world.settle()
    assert await world.jobs() == []
    assert "/shipmate" in world.whispers()[-1]


async def test_another_bot_is_not_obeyed(world: SlackWorld) -> None:
    robot = world.slack.add_bot("ci")
    await world.slack.mention(f"deploy {REPO}", user=robot)
    await world.settle()
    assert await world.jobs() == []
    assert await world.outcomes("slack") == ["ignored said_by_a_bot_or_edited"]
