"""The home tab: who one is, and what is under way that one may see."""

from __future__ import annotations

from tests.slack.world import ALICE, BORA, CHEN, DEPLOYS, SlackWorld
from tests.world import REPO


def shown(world: SlackWorld, user: str) -> str:
    home = world.slack.home_of(user)
    return "" if home is None else "\n".join(block["text"]["text"] for block in home["blocks"] if "text" in block)


async def opened(world: SlackWorld, user: str) -> str:
    await world.slack.open_home(user)
    await world.until(lambda: shown(world, user))
    return shown(world, user)


async def test_who_is_not_linked_sees_how_to_and_no_job(world: SlackWorld) -> None:
    await world.push("slow", "hang")
    await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    home = await opened(world, CHEN)
    assert "linked to no GitHub account" in home
    assert REPO not in home
    assert "/shipmate deploy" in home


async def test_jobs_under_way_are_shown_to_who_may_read_their_repository(world: SlackWorld) -> None:
    await world.link(CHEN, "carol")
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    home = await opened(world, BORA)
    assert "acme/api → `production`" in home
    assert "alice" in home
    world.github.repository(REPO).private = True
    assert REPO not in await opened(world, CHEN)
