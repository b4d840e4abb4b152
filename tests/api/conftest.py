"""The API on a real server and store, with three routes of the tests' own behind its door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import utc_now
from bot.errors import Permanent, Refused, Transient
from bot.links import Links
from handlers.api.bodies import read_body
from handlers.api.envelope import success
from handlers.api.gateway import Gateway, add_to
from handlers.api.limits import Buckets, Rate
from storage.opened import OpenStore, open_store
from tests.migrated import put_database

ORDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["repo"],
    "properties": {
        "repo": {"type": "string", "maxLength": 20, "pattern": "^[a-z/]+$"},
        "port": {"type": "integer", "minimum": 1},
        "kind": {"enum": ["docker", "ecs"]},
        "app": {"type": "object", "required": ["path"]},
    },
}
ERRORS = {
    "refused": Refused("permission_needed", actor="bob", has="read", needs="write", command="deploy"),
    "busy": Transient("store_busy", retry_after_s=2.2),
    "github": Permanent("github_invalid", operation="x", message="no"),
    "bug": RuntimeError("postgres://root:hunter2@db"),
}
routes = web.RouteTableDef()


@routes.post("/api/v1/orders")
async def order(request: web.Request) -> web.Response:
    """Says back what it was given."""
    return success(await read_body(request, ORDER), "Taken.", 201)


@routes.get("/api/v1/fail/{how}")
async def fail(request: web.Request) -> web.Response:
    """Breaks in a known way."""
    raise ERRORS[request.match_info["how"]]


@routes.get("/api/v1/job/{id}/result")
async def result(request: web.Request) -> web.Response:
    """Something of one job."""
    return success({"id": request.match_info["id"]}, "Here.")


@dataclass
class Api:
    """A client that shows a key unless told otherwise."""

    opened: OpenStore
    links: Links
    session: aiohttp.ClientSession
    base: str
    key: str

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON and headers of the answer."""
        shown = {"X-API-Key": self.key} if headers is None else headers
        async with self.session.request(method, self.base + path, headers=shown, **how) as reply:
            return reply.status, await reply.json(), reply.headers


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    opened = await open_store(put_database(tmp_path / "shipmate.db"))
    links = Links("http://shipmate.test", b"k" * 32)
    app = web.Application()
    door = Gateway(
        opened.store.keys, links, utc_now, by_key=Buckets(Rate(8, 3600.0)), by_address=Buckets(Rate(12, 3600.0))
    )
    add_to(app, door, [routes])
    server = TestServer(app)
    await server.start_server()
    _, key = await opened.store.keys.create("tests", utc_now())
    async with aiohttp.ClientSession() as session:
        yield Api(opened, links, session, str(server.make_url("")).rstrip("/"), key)
    await server.close()
    await opened.close()
