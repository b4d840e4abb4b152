"""What people see of an analysis in a real browser: readable for everybody, on a phone, in the dark, and on paper."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.scenarios.analysing import analysed, target
from tests.scenarios.test_analysis_jobs import PYTHON
from tests.world import REPO, World, new_world

PHONE, DESK = ViewportSize(width=390, height=800), ViewportSize(width=1100, height=900)
QUALITY = {
    "complexity": {
        "functions": 3,
        "average": 2.5,
        "aboveLimit": 1,
        "worst": [{"path": "a.py", "line": 1, "name": "f", "complexity": 30}],
    },
    "findings": {"total": 1, "byRule": {"F401": 1}},
    "sonar": {"coverage": "80.0"},
    "summary": {"model": "m", "text": "Fine.", "sent": "3 functions"},
    "warnings": ["ruff was not there"],
}


@pytest.fixture
async def seen_world() -> AsyncIterator[World]:
    """A world whose repository has been deployed, changed by two people and analysed, with all there is to show."""
    async with new_world() as world:
        await world.push("one")
        await world.settle()
        await world.push_files({"src/app.py": PYTHON, "docs/a.md": "# a\n", "package-lock.json": "{}\n"}, by="bob")
        await world.settle()
        job = await analysed(world, await target(world))
        (kept,) = await world.store.analyses.of_job(job.id)
        await world.store.analyses.put(dataclasses.replace(kept, body={**kept.body, "quality": QUALITY}))
        yield world


def here(world: World, link: str) -> str:
    """A link of the world's house where its server really is."""
    return link.replace(world.house.links.public_url, world.address)


async def opened(browser: Browser, address: str, *, phone: bool = False, dark: bool = False) -> Page:
    """A page, with all that is folded away shown."""
    page = await browser.new_page(viewport=PHONE if phone else DESK, color_scheme="dark" if dark else "light")
    await page.goto(address)
    await page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    return page


async def complaints(page: Page) -> list[str]:
    """What axe-core finds wrong with a page."""
    found = await Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found.response["violations"]]


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desk", "phone-dark"])
async def test_everybody_can_read_what_an_analysis_found(
    seen_world: World, browser: Browser, phone: bool, dark: bool
) -> None:
    links, (*_, job) = seen_world.house.links, await seen_world.jobs()
    for link in (links.repository(REPO), links.job(job.id)):
        page = await opened(browser, here(seen_world, link), phone=phone, dark=dark)
        assert await complaints(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= (PHONE if phone else DESK)["width"]


async def test_the_page_keeps_its_looks_under_its_own_policy_and_paper_shows_no_buttons(
    seen_world: World, browser: Browser
) -> None:
    page = await browser.new_page(viewport=DESK)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(here(seen_world, seen_world.house.links.repository(REPO)))
    first = page.locator("td.bar svg rect").first
    assert await first.evaluate("bar => getComputedStyle(bar).fill") == "rgb(47, 111, 235)"
    assert await first.evaluate("bar => bar.getBoundingClientRect().width") > 50
    assert said == []
    await page.emulate_media(media="print", color_scheme="dark")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    await expect(page.get_by_role("button", name="Show")).to_be_hidden()
    await expect(page.get_by_role("heading", name="Languages over time")).to_be_visible()


async def test_a_reader_chooses_an_author_and_dates(seen_world: World, browser: Browser) -> None:
    page = await browser.new_page(viewport=DESK)
    await page.goto(here(seen_world, seen_world.house.links.repository(REPO)))
    await page.get_by_label("Author", exact=True).fill("bob")
    await page.get_by_role("button", name="Show").click()
    authors = page.get_by_role("group", name="Lines by author").locator("tbody tr")
    await expect(authors).to_have_count(1)
    await expect(authors).to_contain_text("bob")
    await page.get_by_label("Author", exact=True).fill("nobody at all")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Nobody there is called that")).to_be_visible()
