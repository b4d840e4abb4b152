"""The home tab: who one is, and what is under way that one may see."""

from __future__ import annotations

from bot.slack.pages import Page, page_of
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


async def turned(world: SlackWorld, page: str, user: str = ALICE) -> str:
    """What the home shows when that page is chosen."""
    await opened(world, user)
    await world.slack.click_in_view(user, f"shipmate.page.{page}")
    await world.settle()
    return shown(world, user)


async def test_a_page_shows_what_serves(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    page = await turned(world, "releases")
    assert "*What serves now*" in page
    assert "acme/api → `production`" in page
    assert "· v1 ·" in page
    world.github.repository(REPO).private = True
    world.github.set_permission(REPO, "bob", "none")
    assert "acme/api → `production`" not in await turned(world, "releases", BORA)


async def test_a_page_shows_what_is_locked_by_whom_and_why(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    await world.type(f"lock {REPO} production --reason hands off <!channel>")
    page = await turned(world, "locks")
    assert "acme/api → `production` · alice" in page
    assert "hands off" in page
    assert "<!channel>" not in page


def test_a_button_of_a_page_that_is_no_more_leads_to_the_first() -> None:
    assert page_of("shipmate.page.gone") is Page.UNDER_WAY


async def test_releases_are_listed_with_the_words_that_go_back(world: SlackWorld) -> None:
    await world.type(f"releases {REPO}")
    assert "Nothing has been released yet" in world.whispers()[-1]
    for words in ("one", "two"):
        await world.push(words, branch="feature")
        await world.type(f"deploy {REPO}@feature")
    await world.type(f"releases {REPO} production", user=BORA)
    told = world.whispers(BORA)[-1]
    assert "🟢 v2" in told
    assert f"`/shipmate rollback {REPO} production to 1`" in told
    await world.type(f"rollback {REPO} production to 1")
    assert await world.serves() == "one"


async def test_releases_of_a_repository_one_may_not_read_are_not_told(world: SlackWorld) -> None:
    await world.github.create_repo("acme/secret", private=True)
    await world.type("releases acme/secret")
    assert "acme/secret" in world.whispers()[-1]
    assert "Releases of" not in world.whispers()[-1]


async def test_one_we_do_not_know_reads_what_the_channel_is_about_and_nothing_else(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "maintain")
    await world.type(f"deploy {REPO} to staging")
    await world.type(f"deploy {REPO} to production")
    await world.type(f"bind {REPO} to staging")
    await world.type("releases", user=CHEN)
    assert "*staging*" in world.whispers(CHEN)[-1]
    await world.type("releases production", user=CHEN)
    assert "*production*" not in world.whispers(CHEN)[-1]
    for text in (f"releases {REPO}", "status", "rollback staging", "deploy", "unbind", "noise all", "dialog"):
        await world.type(text, user=CHEN)
        assert "/shipmate link" in world.whispers(CHEN)[-1]
    assert len(await world.jobs()) == 2
    assert world.slack.view_of(CHEN) is None
