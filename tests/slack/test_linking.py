"""Tying a GitHub account to a person in Slack: proven at GitHub, confirmed by the person, in one browser, once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from aiohttp import ClientSession, CookieJar

from bot.store.slack import SlackUser
from tests.slack.world import CHEN, TEAM, SlackWorld, link_in
from tests.world import REPO

WHO = SlackUser(TEAM, CHEN)


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


@pytest.fixture
async def other_browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def asked(world: SlackWorld) -> str:
    """The address Chen is given."""
    await world.type("link", user=CHEN)
    return link_in(world.whispers(CHEN)[-1])


async def signed_in(world: SlackWorld, browser: ClientSession, address: str, login: str | None = "chen-gh") -> str:
    """Follow the address to GitHub and back; the address GitHub sends the browser to."""
    world.github.approve_oauth_as(login)
    status, _, at_github = await world.get(browser, address)
    assert status == 302
    _, _, back = await world.get(browser, at_github)
    return back


async def say_yes(world: SlackWorld, browser: ClientSession, page: str, **changed: str) -> tuple[int, str]:
    """Press the button of the page, with some of its fields changed."""
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    async with browser.post(f"{world.address}/slack/link/confirm", data={**fields, **changed}) as reply:
        text = await reply.text()
        status = reply.status
    await world.settle()
    return status, text


async def test_a_person_is_linked_told_and_may_deploy(world: SlackWorld, browser: ClientSession) -> None:
    world.github.set_permission(REPO, "chen-gh", "write")
    back = await signed_in(world, browser, await asked(world))
    status, page, _ = await world.get(browser, back)
    assert (status, "chen-gh at GitHub" in page, "chen in acme" in page) == (200, True, True)
    assert await world.store.slack_links.of(WHO) is None
    status, text = await say_yes(world, browser, page)
    assert (status, "Linked." in text) == (200, True)
    link = await world.store.slack_links.of(WHO)
    assert link is not None
    assert (link.github_id, link.github_login) == (world.github.person("chen-gh").id, "chen-gh")
    assert "linked to `chen-gh`" in world.whispers(CHEN)[-1]
    await world.type(f"deploy {REPO}", user=CHEN)
    assert await world.states() == ["COMPLETED"]


async def test_who_am_i_and_forget_me(world: SlackWorld) -> None:
    await world.link(CHEN, "chen-gh")
    await world.type("whoami", user=CHEN)
    assert f"`chen-gh` at GitHub (number {world.github.person('chen-gh').id})" in world.whispers(CHEN)[-1]
    await world.type("unlink", user=CHEN)
    await world.type("whoami", user=CHEN)
    assert "no GitHub account" in world.whispers(CHEN)[-1]
    await world.type(f"status {REPO}", user=CHEN)
    assert "/shipmate link" in world.whispers(CHEN)[-1]


async def test_github_is_asked_with_pkce_and_a_state_and_no_secret(world: SlackWorld, browser: ClientSession) -> None:
    _, _, at_github = await world.get(browser, await asked(world))
    assert "code_challenge_method=S256" in at_github
    assert "state=" in at_github
    assert world.github.client_secret not in at_github


async def test_another_browser_cannot_go_on(
    world: SlackWorld, browser: ClientSession, other_browser: ClientSession
) -> None:
    back = await signed_in(world, browser, await asked(world))
    status, page, _ = await world.get(other_browser, back)
    assert (status, "<form" in page) == (400, False)
    _, page, _ = await world.get(browser, back)
    status, _ = await say_yes(world, other_browser, page)
    assert status == 400
    assert await world.store.slack_links.of(WHO) is None


@pytest.mark.parametrize("changed", [{"login": "alice"}, {"id": "1"}, {"proof": "0" * 64}, {"proof": ""}, {"id": "x"}])
async def test_the_page_cannot_be_made_to_name_another_account(
    world: SlackWorld, browser: ClientSession, changed: dict[str, str]
) -> None:
    _, page, _ = await world.get(browser, await signed_in(world, browser, await asked(world)))
    status, _ = await say_yes(world, browser, page, **changed)
    assert status == 400
    assert await world.store.slack_links.of(WHO) is None


async def test_a_link_is_good_once(world: SlackWorld, browser: ClientSession) -> None:
    address = await asked(world)
    _, page, _ = await world.get(browser, await signed_in(world, browser, address))
    assert (await say_yes(world, browser, page))[0] == 200
    assert (await say_yes(world, browser, page))[0] == 400
    status, _, _ = await world.get(browser, address)
    assert status == 400


async def test_unlinking_ends_a_link_under_way(world: SlackWorld, browser: ClientSession) -> None:
    _, page, _ = await world.get(browser, await signed_in(world, browser, await asked(world)))
    await world.type("unlink", user=CHEN)
    assert (await say_yes(world, browser, page))[0] == 400
    assert await world.store.slack_links.of(WHO) is None


async def test_one_who_says_no_at_github_is_not_linked(world: SlackWorld, browser: ClientSession) -> None:
    back = await signed_in(world, browser, await asked(world), login=None)
    status, page, _ = await world.get(browser, back)
    assert (status, "did not confirm" in page) == (400, True)
    assert await world.store.slack_links.of(WHO) is None


@pytest.mark.parametrize("path", ["", "?state=", "?state=nonsense", "/callback", "/callback?state=x&code=y"])
async def test_made_up_addresses_lead_nowhere(world: SlackWorld, browser: ClientSession, path: str) -> None:
    status, page, _ = await world.get(browser, f"{world.address}/slack/link{path}")
    assert (status, "<form" in page) == (400, False)


async def test_the_pages_cannot_be_framed_kept_or_scripted(world: SlackWorld, browser: ClientSession) -> None:
    back = await signed_in(world, browser, await asked(world))
    async with browser.get(f"{world.address}{back.removeprefix('http://shipmate.test')}") as reply:
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
        assert "script-src" not in reply.headers["Content-Security-Policy"]
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "no-referrer"


async def test_the_token_of_the_person_is_kept_nowhere(world: SlackWorld, browser: ClientSession) -> None:
    _, page, _ = await world.get(browser, await signed_in(world, browser, await asked(world)))
    await say_yes(world, browser, page)
    given = [token for token in world.github.tokens.issued if token.startswith("ghu_")]
    assert given
    assert [token for token in given if token in world.everything_written()] == []
