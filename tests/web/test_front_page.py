"""The front page: whoever opens the server's address learns what it is and where to go on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.world import World, new_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with new_world() as made:
        yield made


async def test_the_front_page_says_what_it_is_and_every_link_of_it_leads_somewhere(world: World) -> None:
    async with aiohttp.ClientSession(world.address) as session:
        async with session.get("/") as reply:
            page = await reply.text()
            assert (reply.status, reply.content_type) == (200, "text/html")
            assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "<h1>Shipmate</h1>" in page
        assert "/api/v1/deployments" in page
        links = re.findall(r'href="(/[^"]*)"', page)
        assert len(links) >= 5
        for link in links:
            async with session.get(link) as reply:
                assert reply.status == 200, link


async def test_the_front_page_tells_nothing_of_jobs_or_repositories(world: World) -> None:
    await world.push("one")
    await world.settle()
    async with aiohttp.ClientSession() as session, session.get(f"{world.address}/") as reply:
        page = await reply.text()
    assert not [word for word in ("acme", "dep_", "alice") if word in page]


async def test_the_front_page_is_in_the_servers_language() -> None:
    async with (
        new_world(SHIPMATE_LOCALE="ko") as world,
        aiohttp.ClientSession(world.address) as session,
        session.get("/") as reply,
    ):
        page = await reply.text()
    assert '<html lang="ko">' in page
    assert "프로그램용" in page
