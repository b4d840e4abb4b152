"""`/repos/{owner}/{repo}/overview`: what runs and what is locked in a repository, for those a link or a key lets in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from bot.clock import Clock
from bot.errors import ShipmateError
from bot.links import Links
from bot.model import JOB_ID
from bot.overview import Memory, Overview, overview_of
from bot.store.keys import ApiKeys
from bot.web.at_github import AtGitHub
from bot.web.job_page import CONTENT_SECURITY_POLICY
from bot.web.overview_page import OverviewPage
from handlers import admission
from handlers.streaming import HEADERS, KEEP_ALIVE_S, RETRY_MS, Watch, frame_of

PAUSE_S = 1.0
"""Changes within it are shown together."""
LONGEST_S = 900.0
"""After that a reader comes again, and is let in again or not."""

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class OverviewPages:
    """What the page needs. `watch()` gives each reader a wait for what changes in the store."""

    memory: Memory
    keys: ApiKeys
    links: Links
    github: AtGitHub
    clock: Clock
    watch: Callable[[], Watch]
    locale: str = "en"


PAGES: web.AppKey[OverviewPages] = web.AppKey("overview pages")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who was let in, and what they chose to see."""

    name: str
    visitor: admission.Visitor
    page: OverviewPage
    only: str | None
    before: str | None


@routes.get("/repos/{owner}/{repo}/overview")
async def show_overview(request: web.Request) -> web.Response:
    """The page as it is now. To a key a repository that it does not see is one where nothing ever happened."""
    reader = await _admitted(request)
    text = reader.page.render(await _seen(request, reader), reader.before)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@routes.get("/repos/{owner}/{repo}/overview/events")
async def follow_overview(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the parts of the page, at once and whenever one of them changed."""
    reader, watch = await _admitted(request), request.app[PAGES].watch()
    reply = web.StreamResponse(headers=HEADERS)
    await reply.prepare(request)
    await reply.write(f"retry: {RETRY_MS}\n\n".encode())
    with contextlib.suppress(ShipmateError):
        await _tell_changes(request, reply, reader, watch)
    return reply


async def _tell_changes(request: web.Request, reply: web.StreamResponse, reader: _Reader, watch: Watch) -> None:
    told, number, began_s = b"", 0, time.monotonic()
    while time.monotonic() - began_s < LONGEST_S:
        parts = orjson.dumps(reader.page.parts(await _seen(request, reader), reader.before))
        if parts != told:
            told, number = parts, number + 1
            await reply.write(frame_of(number, "parts", parts))
        else:
            await reply.write(b": still here\n\n")
        await asyncio.sleep(PAUSE_S)
        await watch.wait(KEEP_ALIVE_S)


async def _seen(request: web.Request, reader: _Reader) -> Overview:
    pages = request.app[PAGES]
    if not reader.visitor.sees(reader.name):
        return Overview(reader.name, reader.only)
    seen = await overview_of(pages.memory, reader.name, reader.only, reader.before, pages.clock())
    return seen if reader.visitor.sees(seen.name) else Overview(reader.name, reader.only)


async def _admitted(request: web.Request) -> _Reader:
    """Raises HTTPForbidden where neither the link nor a key holds."""
    pages, query = request.app[PAGES], request.query
    name = f"{request.match_info['owner']}/{request.match_info['repo']}"
    visitor = await admission.to_overview(request, pages, name)
    name = await admission.require_its_name(request, pages, pages.memory.jobs, name, visitor)
    before = query.get("before", "")
    page = OverviewPage(pages.github, pages.locale, visitor.let_in)
    return _Reader(name, visitor, page, query.get("environment") or None, before if JOB_ID.match(before) else None)
