"""Channels that are about a repository are told of jobs asked for elsewhere, as loud as they were set."""

from __future__ import annotations

import pytest

from tests.slack.world import ALICE, BORA, DEPLOYS, RANDOM, SlackWorld
from tests.world import REPO


@pytest.fixture(autouse=True)
def maintainer(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "maintain")


async def bound(world: SlackWorld, words: str = "") -> None:
    """#deploys is about the repository; what was said of that is not looked at."""
    await world.type(f"bind {REPO} {words}")
    world.slack.workspace.place(DEPLOYS).messages.clear()


async def shipped(world: SlackWorld, *steps: str) -> None:
    """Somebody asks for a deployment at GitHub, and it ends."""
    pull = await world.open_pull("one", *steps)
    await world.say(pull.number, "/deploy")


async def test_a_job_asked_for_at_github_is_told_in_full_where_all_is_wanted(world: SlackWorld) -> None:
    await bound(world, "--noise all")
    await shipped(world)
    (head,) = world.heads()
    assert "*Deployed to production*" in head
    assert world.buttons() == ["rollback"]
    lines = [line for text in world.thread() for line in text.splitlines()]
    assert [line.split()[1] for line in lines[:6]] == ["1", "2", "3", "4", "5", "6"]


async def test_its_end_alone_is_told_where_ends_are_wanted_which_is_what_a_binding_means(world: SlackWorld) -> None:
    await bound(world)
    await shipped(world)
    assert ["*Deployed to production*" in head for head in world.heads()] == [True]
    assert world.thread() == []


@pytest.mark.parametrize("words", ["", "--noise failures"])
async def test_a_failure_is_told_with_the_end_of_its_log_and_a_way_on(world: SlackWorld, words: str) -> None:
    await bound(world, words)
    await shipped(world, "fail")
    assert ["*Failed*" in head for head in world.heads()] == [True]
    assert ["```" in text for text in world.thread()] == [True]
    assert world.buttons() == ["retry"]


@pytest.mark.parametrize("words", ["--noise failures", "--noise off"])
async def test_where_only_failures_or_nothing_is_wanted_a_success_is_silent(world: SlackWorld, words: str) -> None:
    await bound(world, words)
    await shipped(world)
    assert await world.states() == ["COMPLETED"]
    assert world.heads() == []


async def test_a_channel_about_another_environment_hears_nothing(world: SlackWorld) -> None:
    await bound(world, "to staging --noise all")
    await shipped(world)
    assert world.heads() == []


async def test_what_was_asked_for_in_the_channel_is_told_there_once(world: SlackWorld) -> None:
    await bound(world, "--noise all")
    await world.type("deploy")
    assert len(world.heads()) == 1


async def test_a_deploy_in_one_channel_is_told_in_another(world: SlackWorld) -> None:
    world.slack.set_members(RANDOM, add=["U0SHIPMATE"])
    await bound(world)
    await world.type(f"deploy {REPO}", channel=RANDOM)
    assert len(world.heads(RANDOM)) == len(world.heads(DEPLOYS)) == 1


async def test_a_channel_that_cannot_be_told_keeps_none_of_the_others_waiting(world: SlackWorld) -> None:
    world.slack.set_members(RANDOM, add=["U0SHIPMATE"])
    await bound(world)
    await world.type(f"bind {REPO}", channel=RANDOM)
    world.slack.delete_channel(DEPLOYS)
    await shipped(world)
    assert "*Deployed to production*" in world.heads(RANDOM)[-1]
    assert await world.states() == ["COMPLETED"]


async def test_the_noise_is_changed_by_who_maintains_and_said_back(world: SlackWorld) -> None:
    await bound(world, "to production")
    await world.type("noise off", user=BORA)
    assert "needs `maintain`" in world.whispers(BORA)[-1]
    await world.type("noise off")
    assert "is told nothing" in world.heads()[-1]
    binding = await world.store.slack_channels.of(DEPLOYS)
    assert binding is not None
    assert (binding.environment, binding.noise.value) == ("production", "off")


@pytest.mark.parametrize("text", ["noise", "noise loud", f"bind {REPO} --noise loud", "noise all please"])
async def test_a_noise_that_makes_no_sense_is_answered_with_the_usage(world: SlackWorld, text: str) -> None:
    await world.type(text)
    assert "all|ends|failures|off" in world.whispers()[-1]


async def test_a_channel_about_nothing_has_no_noise_to_change(world: SlackWorld) -> None:
    await world.type("noise all")
    assert "/shipmate bind OWNER/REPO" in world.whispers()[-1]


async def test_a_server_that_died_while_it_told_a_channel_tells_it_once(world: SlackWorld) -> None:
    await bound(world)
    world.slack.faults.add("lose_reply", on="chat.postMessage")
    await shipped(world)
    assert ["*Deployed to production*" in head for head in world.heads()] == [True]


async def test_a_job_from_before_the_binding_is_not_told(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    world.slack.set_members(RANDOM, add=["U0SHIPMATE"])
    await world.slack.say_command("/shipmate", f"bind {REPO}", ALICE, RANDOM)
    await world.until(lambda: world.heads(RANDOM))
    await world.type(f"cancel {job.id}")
    assert len(world.heads(RANDOM)) == 1


async def test_where_we_are_not_a_binding_is_made_and_the_asker_told_that_nothing_will_be_heard(
    world: SlackWorld,
) -> None:
    await world.type(f"bind {REPO}", channel=RANDOM)
    assert await world.store.slack_channels.of(RANDOM) is not None
    assert "/invite @shipmate" in world.whispers(channel=RANDOM)[-1]
    await shipped(world)
    assert await world.states() == ["COMPLETED"]
    assert world.heads(RANDOM) == []
