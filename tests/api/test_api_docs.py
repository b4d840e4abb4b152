"""The API is described as it is: a valid OpenAPI document of every route, and a page that shows it with no internet."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.clock import utc_now
from tests.world import World, new_world

METHODS = {"get", "post", "delete"}


@dataclass
class Documented:
    """A server with its own description, and a program that has a key."""

    world: World
    program: aiohttp.ClientSession
    document: dict[str, Any]

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (method, path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        ]


@pytest.fixture
async def documented() -> AsyncIterator[Documented]:
    async with new_world() as world:
        _, key = await world.store.keys.create("program", utc_now())
        async with aiohttp.ClientSession(world.address, headers={"X-API-Key": key}) as program:
            async with aiohttp.ClientSession() as stranger, stranger.get(f"{world.address}/api-docs") as reply:
                document = await reply.json()
            yield Documented(world, program, document)


async def test_the_document_is_valid_and_has_every_route_there_is(documented: Documented) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # here, where one worker of all needs it

    OpenAPIV31SpecValidator(documented.document).validate()
    assert documented.document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for method, path, _ in documented.operations()}
    assert {
        ("POST", "/api/v1/connect/github"),
        ("POST", "/api/v1/connect/aws"),
        ("GET", "/api/v1/connections"),
        ("DELETE", "/api/v1/connections/{id}"),
        ("POST", "/api/v1/deploy"),
        ("GET", "/api/v1/deploy/{id}/events"),
        ("GET", "/api/v1/deploy/{id}/result"),
        ("POST", "/deployments"),
        ("GET", "/api/v1/deployments"),
    } <= described
    assert all(operation["summary"] for _, _, operation in documented.operations())


async def test_what_needs_a_body_says_so_and_refuses_an_empty_one(documented: Documented) -> None:
    for method, path, operation in documented.operations():
        if method != "post":
            continue
        address = re.sub(r"{\w+}", "none", path)
        async with documented.program.post(address, json={}) as reply:
            refused = reply.status == 422
        assert refused is ("requestBody" in operation), path


async def test_what_is_asked_with_unknown_words_is_refused_where_the_words_are_described(
    documented: Documented,
) -> None:
    for method, path, operation in documented.operations():
        if method != "get" or not any(one["in"] == "query" for one in operation["parameters"]):
            continue
        address = re.sub(r"{\w+}", "none", path)
        async with documented.program.get(address, params={"nobody-knows-this": "1"}) as reply:
            assert reply.status == 422, path


async def test_the_page_and_all_it_loads_are_the_servers_own(documented: Documented) -> None:
    async with aiohttp.ClientSession(documented.world.address) as stranger:
        async with stranger.get("/swagger-ui.html") as reply:
            page = await reply.text()
            assert reply.headers["Content-Security-Policy"].startswith("default-src 'self'")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert all(one.startswith(("/", "data:")) for one in loaded)
        for one in loaded:
            if one.startswith("/"):
                async with stranger.get(one) as reply:
                    assert reply.status == 200, one
