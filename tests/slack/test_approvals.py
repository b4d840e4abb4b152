"""A second person lets a deployment run, on whichever face: asked at GitHub and approved in Slack, and the reverse."""

from __future__ import annotations

import pytest

from tests.scenarios.settings import frozen_now, with_rules
from tests.slack.world import ALICE, BORA, SlackWorld
from tests.world import REPO


@pytest.fixture(autouse=True)
def people(world: SlackWorld) -> None:
    """Bora is bob at GitHub, and may write here."""
    world.github.set_permission(REPO, "bob", "write")


async def test_asked_in_slack_it_waits_there_and_a_click_of_somebody_else_lets_it_run(world: SlackWorld) -> None:
    await with_rules(world, "approvals: {required: 1}")
    await world.type(f"deploy {REPO}")
    assert "*Waiting for approval*" in world.heads()[-1]
    assert "somebody else who may write here" in world.heads()[-1]
    assert world.buttons() == ["approve", "cancel"]
    await world.click("approve", BORA)
    assert "*Deployed to production*" in world.heads()[-1]
    assert "Approved by `bob`" in world.heads()[-1]


async def test_who_asked_cannot_click_it_through(world: SlackWorld) -> None:
    await with_rules(world, "approvals: {required: 1}")
    await world.type(f"deploy {REPO}")
    await world.click("approve", ALICE)
    assert await world.states() == ["PENDING"]
    assert "Whoever asked cannot approve it too" in world.whispers()[-1]


async def test_asked_at_github_it_is_approved_in_slack(world: SlackWorld) -> None:
    await with_rules(world, "approvals: {required: 1}")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    (job,) = await world.jobs()
    await world.type(f"approve {job.id}", BORA)
    assert await world.serves() == "two"
    assert "Approved by `bob`" in world.answer(pull.number)


async def test_asked_in_slack_it_is_approved_at_github(world: SlackWorld) -> None:
    await with_rules(world, "approvals: {required: 1}")
    await world.type(f"deploy {REPO}")
    (run,) = [one for one in world.github.check_runs(REPO) if one.actions]
    await world.github.click(run.id, "approve", by="bob")
    await world.settle()
    assert "*Deployed to production*" in world.heads()[-1]


async def test_what_a_maintainer_set_aside_is_shown_in_slack_too(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "maintain")
    await with_rules(world, frozen_now())
    await world.type(f"deploy {REPO}")
    assert "is frozen until" in world.whispers()[-1]
    await world.type(f"deploy {REPO} --reason the shop is down")
    assert "alice set aside: the freeze. Reason: the shop is down" in world.heads()[-1]
