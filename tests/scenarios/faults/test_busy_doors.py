"""While the store cannot answer every door says when to come again, and none of them breaks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from bot.composition.web import web_application
from bot.errors import Transient
from storage.engine.database import Database
from tests.world import REPO, World

WAIT_S = 7
WITHOUT_THE_STORE = {
    "/",
    "/health",
    "/actuator/health",
    "/metrics",
    "/static/{name}",
    "/schema/shipmate.schema.json",
    "/api-docs",
    "/swagger-ui.html",
    "/webhook/github",
}
"""Doors that need no store to answer; GitHub's refuses what is not signed before it would."""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@contextmanager
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database lets nobody in."""

    async def refused(_self: Database, _work: Callable[..., Any]) -> Any:
        raise Transient("store_busy", retry_after_s=WAIT_S)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", refused)
        patch.setattr(Database, "write", refused)
        yield


def doors(world: World) -> Iterator[tuple[str, str, str]]:
    """Every method and path the server answers, and the path's pattern."""
    names = {"owner": REPO.partition("/")[0], "repo": REPO.partition("/")[2], "id": "dep_aaaaaaaaaa"}
    for route in web_application(world.house).router.routes():
        pattern = route.resource.canonical if route.resource else ""
        filled = re.sub(r"\{(\w+)[^}]*\}", lambda part: names.get(part[1], "svg"), pattern)
        yield route.method, filled, pattern


async def test_every_door_says_when_to_come_again(
    world: World, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = await world.store.keys.create("tests", utc_now())
    answered: dict[str, tuple[int, str | None]] = {}
    with busy(monkeypatch):
        for method, path, pattern in doors(world):
            headers = {"X-API-Key": key, "Accept": "text/html"}
            async with session.request(method, f"{world.address}{path}", headers=headers) as reply:
                answered[f"{method} {pattern}"] = reply.status, reply.headers.get("Retry-After")
    shut = {door for door, (status, _) in answered.items() if status == 503}
    assert {door.partition(" ")[2] for door in answered.keys() - shut} <= WITHOUT_THE_STORE
    assert {answered[door][1] for door in shut} <= {"7", "5"}
    assert [door for door, (status, _) in answered.items() if status == 500] == []


async def test_a_browser_gets_a_page_that_comes_again_and_a_program_a_sentence(
    world: World, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = world.house.links.overview(REPO).replace(world.house.links.public_url, world.address)
    with busy(monkeypatch):
        async with session.get(address, headers={"Accept": "text/html"}) as page:
            assert (page.status, page.content_type, page.headers["Refresh"]) == (503, "text/html", str(WAIT_S))
            assert "Come again in 7 s." in await page.text()
        async with session.get(address) as told:
            assert (told.status, told.content_type, "Refresh" in told.headers) == (503, "text/plain", False)
    async with session.get(address) as page:
        assert page.status == 200
