"""The simulated GitHub in a browser: what is said is seen as GitHub shows it, and can be said and clicked there."""

import aiohttp
from playwright.async_api import Page as BrowserPage
from playwright.async_api import expect

from bot.sandbox.github.page import PATH
from bot.sandbox.github.simulator import GitHubSandbox
from tests.web.conftest import browser, browser_page

__all__ = ["browser", "browser_page"]


async def shown(github: GitHubSandbox, **query: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{github.url}{PATH}/shown", params=query) as reply:
        assert reply.status == 200
        return await reply.text()


async def a_conversation(github: GitHubSandbox) -> int:
    await github.push("acme/api", branch="feature", files={"a": "b"}, by="alice")
    return (await github.open_pull("acme/api", head="feature", by="alice", title="Better <b>")).number


async def test_a_conversation_is_read_as_github_shows_it(github: GitHubSandbox) -> None:
    number = await a_conversation(github)
    await github.comment("acme/api", number, "**bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |", by="alice")
    text = await shown(github)
    assert "<strong>bold</strong>" in text
    assert "<td>1</td>" in text
    assert "Better &lt;b&gt;" in text
    assert f'data-repo="acme/api" data-number="{number}"' in text


async def test_another_repository_and_an_issue_are_shown_where_they_are_named(github: GitHubSandbox) -> None:
    await a_conversation(github)
    issue = await github.open_issue("acme/api", title="It broke", by="bob")
    await github.create_repo("acme/web", files={"a": "b"})
    assert "It broke</h2>" in await shown(github, repo="acme/api", number=str(issue))
    assert "<h1>acme/web</h1>" in await shown(github, repo="acme/web")


async def test_a_person_says_something_and_reads_it(github: GitHubSandbox, browser_page: BrowserPage) -> None:
    await a_conversation(github)
    await browser_page.goto(f"{github.url}{PATH}")
    await expect(browser_page.locator("h1")).to_have_text("acme/api")
    await browser_page.fill("input[name=by]", "bob")
    await browser_page.fill("textarea", "/deploy <img src=x onerror=document.title='run'>")
    await browser_page.click("form button")
    await expect(browser_page.locator("article header b")).to_have_text("bob")
    await expect(browser_page.locator("textarea")).to_have_value("")
    assert await browser_page.title() == "Simulated GitHub"


async def test_a_button_of_a_check_is_pressed_as_the_one_who_is_chosen(
    github: GitHubSandbox, browser_page: BrowserPage
) -> None:
    await a_conversation(github)
    pull_sha = await github.head("acme/api", "feature")
    await github.check("acme/api", sha=pull_sha, name="test", state="success")
    await browser_page.goto(f"{github.url}{PATH}")
    async with browser_page.expect_response("**/_control/rerequests") as asked:
        await browser_page.click("button[data-check]")
    assert (await asked.value).status == 200
    await github.settle()
    assert "check_run" in [one.event for one in github.deliveries]


async def test_githubs_own_addresses_lead_to_the_page_about_the_same(
    github: GitHubSandbox, browser_page: BrowserPage
) -> None:
    number = await a_conversation(github)
    issue = await github.open_issue("acme/api", title="It broke", by="bob")
    main = await github.head("acme/api", "main")
    await github.check("acme/api", sha=main, name="test", state="success")
    for path, heading in {
        "": "#1 Better <b>",
        f"/pull/{number}": "#1 Better <b>",
        f"/issues/{issue}": "#2 It broke",
        f"/commit/{main}": f"Commit {main}",
    }.items():
        await browser_page.goto(f"{github.url}/acme/api{path}")
        await expect(browser_page.locator("h2").first).to_have_text(heading)
    await expect(browser_page.locator("summary")).to_contain_text("test")
