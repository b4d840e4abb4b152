"""A GitHub that answers what a test tells it to, one reply after another, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Answer:
    """A reply: `body` goes out as JSON. `cut` sends a part and breaks the connection; `hang` never answers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False
    raw: str | None = None
    """What goes out under the name of JSON instead of `body`."""


CUT = Answer(cut=True)
HANG = Answer(hang=True)


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def token(self) -> str:
        return self.headers["Authorization"].partition(" ")[2]


class AnsweringGitHub:
    """Mints tokens by itself; everything else is answered by `answers`, in order, or by `respond`."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.mints: list[Asked] = []
        self.answers: list[Answer] = []
        self.mint_answers: list[Answer] = []
        self.respond: Callable[[Asked], Answer] | None = None
        self.token_life = timedelta(hours=1)
        self.minting = asyncio.Event()
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AnsweringGitHub]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        async with TestServer(app) as server:
            self.url = str(server.make_url("/")).rstrip("/")
            try:
                yield self
            finally:
                self._ended.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        asked = Asked(request.method, request.raw_path, request.headers.copy(), json.loads(raw) if raw else None)
        if asked.path.endswith("/access_tokens"):
            return await self._send(request, self._mint(asked))
        self.asked.append(asked)
        if self.respond is not None:
            return await self._send(request, self.respond(asked))
        return await self._send(request, self.answers.pop(0) if self.answers else Answer(500, {"message": "unplanned"}))

    def _mint(self, asked: Asked) -> Answer:
        self.mints.append(asked)
        self.minting.set()
        if self.mint_answers:
            return self.mint_answers.pop(0)
        expires_at = (datetime.now(UTC) + self.token_life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Answer(201, {"token": f"ghs_{len(self.mints):036d}", "expires_at": expires_at})

    async def _send(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if answer.hang:
            await self._ended.wait()
        if answer.cut:
            return await _send_a_part(request)
        if answer.raw is not None:
            return web.json_response(text=answer.raw, status=answer.status)
        if answer.body is None:
            return web.Response(status=answer.status, headers=answer.headers)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)


async def _send_a_part(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": ')
    assert request.transport is not None
    request.transport.abort()
    return response
