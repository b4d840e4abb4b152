"""Approvals where a channel is about the repository: what waits is told there, and let run by who may just then."""

from __future__ import annotations

import pytest

from tests.scenarios.settings import with_rules
from tests.slack.world import ALICE, BORA, CHEN, DEPLOYS, SlackWorld, shown
from tests.world import REPO

TWO_PEOPLE = "approvals: {required: 1}"


@pytest.fixture(autouse=True)
async def rules(world: SlackWorld) -> None:
    """Two people deploy to production; Chen is carol at GitHub, who may write."""
    await with_rules(world, TWO_PEOPLE)
    await world.link(CHEN, "carol")
    world.github.set_permission(REPO, "carol", "write")
    world.github.set_permission(REPO, "alice", "maintain")


async def test_asked_for_at_github_and_approved_in_slack(world: SlackWorld) -> None:
    await world.type(f"bind {REPO} --noise failures")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    assert "Waiting for approval" in world.heads()[-1]
    assert world.buttons() == ["approve", "cancel"]
    await world.click("approve", user=CHEN)
    assert await world.serves() == "two"
    assert "Approved by `carol`" in world.heads()[-1]
    assert "*Deployed to production*" in world.heads()[-1]
    assert any("<@U0CHEN> (`carol` at GitHub) pressed *Approve*" in text for text in world.thread())
    assert "Approved by `carol`" in world.answers(pull.number)[0].body


async def test_a_click_counts_for_who_may_at_that_moment(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    await world.click("approve", user=BORA)
    world.github.set_permission(REPO, "carol", "read")
    await world.click("approve", user=CHEN)
    assert "needs `write`" in world.whispers(BORA)[-1]
    assert "needs `write`" in world.whispers(CHEN)[-1]
    assert await world.states() == ["PENDING"]
    world.github.set_permission(REPO, "carol", "write")
    await world.click("approve", user=CHEN)
    assert await world.states() == ["COMPLETED"]


async def test_what_waits_for_one_stands_in_ones_home(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    (job,) = await world.jobs()
    pages = {}
    for user in (ALICE, CHEN):
        await world.slack.open_home(user)
        await world.until(lambda user=user: world.slack.home_of(user))  # type: ignore[misc]
        await world.slack.click_in_view(user, "shipmate.page.waiting")
        await world.settle()
        home = world.slack.home_of(user)
        assert home is not None
        pages[user] = shown(home)
    assert f"/shipmate approve {job.id}" in pages[CHEN]
    assert job.id not in pages[ALICE]
    assert len(world.heads(DEPLOYS)) == 1
