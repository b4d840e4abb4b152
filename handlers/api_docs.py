"""`/api-docs` and `/swagger-ui.html`: the API's description, for programs and people, with no key and no internet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

import bot.web

DESCRIBED: web.AppKey[Callable[[], Mapping[str, Any]]] = web.AppKey("api description")
PAGE = Path(next(iter(bot.web.__path__))) / "api_page.html"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
}

routes = web.RouteTableDef()


@routes.get("/api-docs")
async def document(request: web.Request) -> web.Response:
    """OpenAPI 3.1."""
    return web.json_response(request.app[DESCRIBED](), headers={**HEADERS, "Access-Control-Allow-Origin": "*"})


@routes.get("/swagger-ui.html")
async def page(request: web.Request) -> web.Response:
    """The same to read and to try."""
    return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html", headers=HEADERS)
