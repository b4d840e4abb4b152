"""The API's page in a real browser: it shows the calls there are, and asks no other server for anything."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.world import new_world


async def test_the_page_shows_the_calls_and_asks_nobody_else(browser_page: Page) -> None:
    asked: list[str] = []
    said: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    async with new_world() as world:
        await browser_page.goto(f"{world.address}/swagger-ui.html")
        await expect(browser_page.locator("#api")).to_contain_text("/api/v1/deploy/{id}/events", timeout=20_000)
        assert all(one.startswith((world.address, "data:")) for one in asked)
    assert said == []
