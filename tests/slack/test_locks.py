"""Locks said in Slack stop people at GitHub and the reverse, and whoever loses one is told in Slack."""

from __future__ import annotations

from tests.slack.world import ALICE, CHEN, SlackWorld, shown
from tests.world import REPO


async def test_a_lock_said_in_slack_stops_a_deploy_at_github(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await world.type(f"lock {REPO} staging --reason demo day --for 2h")
    assert "`staging` is yours alone until" in world.whispers(ALICE)[-1]
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging", by="carol")
    assert "locked by `alice`" in world.answer(pull.number)
    assert "demo day" in world.answer(pull.number)
    await world.type(f"locks {REPO}")
    assert "staging" in world.whispers(ALICE)[-1]
    await world.type(f"lock {REPO} staging --reason a look round")
    await world.type(f"locks {REPO}")
    assert "until it is unlocked — a look round" in world.whispers(ALICE)[-1]
    await world.type(f"unlock {REPO} staging")
    assert "Unlocked" in world.whispers(ALICE)[-1]


async def test_a_lock_said_at_github_stops_a_deploy_in_slack(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await world.link(CHEN, "carol")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/lock staging --reason mine")
    await world.type(f"deploy {REPO} to staging", user=CHEN)
    assert "locked by `alice`" in world.whispers(CHEN)[-1]
    assert await world.jobs() == []


async def test_whoever_loses_a_lock_is_told_in_slack_and_where_it_was_said(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await world.link(CHEN, "carol")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/lock staging")
    await world.type(f"unlock {REPO} staging --reason hotfix", user=CHEN)
    assert any("@alice: `carol` ended your lock of `staging`" in one.body for one in world.answers(pull.number))
    (between_us,) = [place.id for place in world.slack.workspace.channels.values() if place.kind == "im"]
    told = [shown(message) for message in world.slack.messages(between_us)]
    assert len(told) == 1
    assert f"<@{ALICE}>: `carol` ended your lock of `staging` in acme/api: hotfix" in told[0]


async def test_in_a_channel_of_one_environment_that_one_is_locked_unless_all_are_meant(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "maintain")
    await world.type(f"bind {REPO} to staging")
    await world.type("lock")
    assert "`staging` is yours alone" in world.whispers(ALICE)[-1]
    await world.type("queue")
    assert "Nobody waits" in world.whispers(ALICE)[-1]
    await world.type("lock --all")
    assert "every environment is yours alone" in world.whispers(ALICE)[-1]
