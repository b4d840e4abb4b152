"""The overview of a repository in a real browser: it stays as things are, and everybody can read it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.web.test_contribution_page import complaints, here, opened
from tests.world import REPO, World, new_world


@pytest.fixture
async def busy_world() -> AsyncIterator[World]:
    """Something serves, something is locked, something runs and something was cancelled."""
    async with new_world() as world:
        await world.push("one")
        pull = await world.open_pull("two", "wait")
        await world.say(pull.number, "/lock staging --reason database move --for 2h")
        await world.comment(pull.number, "/deploy to production")
        await world.until_it_builds()
        yield world


async def test_what_happens_while_it_is_read_comes_onto_the_page(browser: Browser, busy_world: World) -> None:
    page = await opened(browser, here(busy_world, busy_world.house.links.overview(REPO)))
    await expect(page.locator("#under-way")).to_contain_text("Building")
    await expect(page.locator("#locks")).to_contain_text("/unlock staging")
    await busy_world.comment(1, "/unlock staging")
    await expect(page.locator("#locks")).to_contain_text("Nothing is locked.")
    await busy_world.comment(1, "/cancel")
    await expect(page.locator("#under-way")).to_contain_text("Nothing runs")
    await expect(page.locator("#ended")).to_contain_text("Cancelled")


async def test_everybody_can_read_it_and_nothing_of_it_is_wider_than_a_phone(
    browser: Browser, busy_world: World
) -> None:
    overview = here(busy_world, busy_world.house.links.overview(REPO))
    for phone, dark in ((False, False), (True, True)):
        page = await opened(browser, overview, phone=phone, dark=dark)
        assert await complaints(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
