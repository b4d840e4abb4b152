"""What people ask to read in Slack: the same answers as at GitHub, in Slack's markup."""

from __future__ import annotations

from tests.slack.world import ALICE, BORA, CHEN, SlackWorld
from tests.world import REPO


async def test_why_explains_the_last_thing_that_happened(world: SlackWorld) -> None:
    await world.push("one", "fail", branch="feature")
    await world.type(f"deploy {REPO}@feature")
    await world.type(f"why {REPO}", user=BORA)
    told = world.whispers(BORA)[-1]
    assert "`build_failed`" in told
    assert "|---" not in told


async def test_the_log_is_read_by_the_jobs_name_alone(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    job = (await world.jobs())[-1]
    await world.type(f"logs {job.id} --stage 1", user=BORA)
    assert f"`{job.id}`" in world.whispers(BORA)[-1]
    await world.type(f"logs {job.id}", user=CHEN)
    assert "I do not know your GitHub account" in world.whispers(CHEN)[-1]


async def test_retry_deploys_the_same_commit_again_for_who_may(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    (job,) = await world.jobs()
    await world.type(f"retry {job.id}", user=BORA)
    assert "needs `write`" in world.whispers(BORA)[-1]
    await world.type(f"retry {job.id}", user=ALICE)
    assert [one.sha for one in await world.jobs()] == [job.sha] * 2
    assert await world.states() == ["COMPLETED"] * 2


async def test_the_figures_and_the_stages_of_a_job_are_told(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    (job,) = await world.jobs()
    await world.type(f"stats {REPO} production", user=BORA)
    assert "not enough data" in world.whispers(BORA)[-1]
    await world.type(f"status {job.id}", user=BORA)
    assert "Deployed to production" in world.whispers(BORA)[-1]


async def test_help_names_link_and_whoami_once(world: SlackWorld) -> None:
    await world.type("help", user=CHEN)
    told = world.whispers(CHEN)[-1]
    assert [told.count(f"`/shipmate {word}`") for word in ("link", "whoami")] == [1, 1]
