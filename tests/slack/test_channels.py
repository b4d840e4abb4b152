"""A channel that is about a repository: named once by one who maintains it, and meant from then on."""

from __future__ import annotations

import pytest

from tests.slack.world import BORA, CHEN, SlackWorld
from tests.world import REPO


@pytest.fixture
async def bound(world: SlackWorld) -> SlackWorld:
    world.github.set_permission(REPO, "alice", "maintain")
    await world.type(f"bind {REPO} to staging")
    return world


async def test_binding_is_said_to_everyone(bound: SlackWorld) -> None:
    assert "<@U0ALICE> bound this channel to `acme/api` (environment: staging)" in bound.heads()[-1]


async def test_a_bound_channel_needs_no_name(bound: SlackWorld) -> None:
    await bound.type("deploy")
    (job,) = await bound.jobs()
    assert (job.repository.full_name, job.ref, job.environment) == (REPO, "main", "staging")


@pytest.mark.parametrize(
    ("text", "ref", "environment"),
    [
        ("deploy to production", "main", "production"),
        ("deploy feature", "feature", "staging"),
        ("deploy @feature to production", "feature", "production"),
        (f"deploy {REPO}@feature", "feature", "production"),
    ],
)
async def test_what_is_said_counts_more_than_the_binding(
    bound: SlackWorld, text: str, ref: str, environment: str
) -> None:
    await bound.push("one", branch="feature")
    await bound.type(text)
    (job,) = await bound.jobs()
    assert (job.ref, job.environment) == (ref, environment)


async def test_a_binding_gives_nobody_a_right(bound: SlackWorld) -> None:
    await bound.type("deploy", user=BORA)
    await bound.type("deploy", user=CHEN)
    assert await bound.jobs() == []
    assert "needs `write`" in bound.whispers(BORA)[-1]
    assert "/shipmate link" in bound.whispers(CHEN)[-1]


async def test_who_may_only_write_binds_nothing(world: SlackWorld) -> None:
    await world.type(f"bind {REPO}")
    assert "needs `maintain`" in world.whispers()[-1]
    await world.type("rollback")
    assert "Name the repository" in world.whispers()[-1]
    assert await world.jobs() == []


async def test_another_repository_cannot_be_put_in_place_by_one_who_maintains_only_that(bound: SlackWorld) -> None:
    await bound.github.create_repo("acme/other", files={"README.md": "other"})
    bound.github.set_permission("acme/other", "bob", "admin")
    await bound.type("bind acme/other", user=BORA)
    await bound.type("unbind", user=BORA)
    assert "needs `maintain`" in bound.whispers(BORA)[-1]
    await bound.type("status")
    assert "acme/api" in bound.whispers()[-1]


async def test_unbound_the_name_is_needed_again(bound: SlackWorld) -> None:
    await bound.type("unbind")
    await bound.type("rollback")
    assert await bound.jobs() == []
    assert "Name the repository" in bound.whispers()[-1]


async def test_a_job_named_is_meant_whatever_the_channel_is_about(bound: SlackWorld) -> None:
    await bound.type("cancel dep_aaaaaaaaaa")
    assert "There is no job `dep_aaaaaaaaaa`" in bound.whispers()[-1]


@pytest.mark.parametrize("text", ["bind", "bind acme", f"bind {REPO}@main", f"bind {REPO} staging", "unbind please"])
async def test_a_binding_that_makes_no_sense_is_answered_with_the_usage(world: SlackWorld, text: str) -> None:
    await world.type(text)
    assert "`/shipmate " in world.whispers()[-1]
    assert await world.store.slack_channels.of("C0DEPLOYS") is None


async def test_a_binding_to_a_repository_that_is_gone_can_be_changed(world: SlackWorld) -> None:
    await world.github.create_repo("acme/other", files={"README.md": "other"})
    world.github.set_permission("acme/other", "alice", "admin")
    await world.type("bind acme/other")
    await world.github.delete_repo("acme/other")
    await world.type("unbind")
    assert await world.store.slack_channels.of("C0DEPLOYS") is None
