"""What is the same for everyone: the pages' own files, the published schema, and the front door."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

import bot.web
from bot.repo_config.reading import schema
from bot.web.front_page import CONTENT_SECURITY_POLICY, front_page

LOCALE: web.AppKey[str] = web.AppKey("locale", str)
"""The language of what is the same for everyone."""

routes = web.RouteTableDef()
STATIC = Path(next(iter(bot.web.__path__))) / "static"
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=300"}
FILES = {
    "shipmate.css": "text/css",
    "job.js": "text/javascript",
    "overview.js": "text/javascript",
    "api.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}


@routes.get("/")
async def front_door(request: web.Request) -> web.Response:
    """What this is, and where to go on. Nothing of it depends on who asks."""
    headers = {**HEADERS, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return web.Response(text=front_page(request.app[LOCALE]), content_type="text/html", headers=headers)


@routes.get("/static/{name}")
async def static_file(request: web.Request) -> web.Response:
    """One of the few files pages use; nothing else is served from disk."""
    kind = FILES.get(request.match_info["name"])
    if kind is None:
        raise web.HTTPNotFound
    body = (STATIC / request.match_info["name"]).read_bytes()
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)


@routes.get("/schema/shipmate.schema.json")
async def config_schema(request: web.Request) -> web.Response:
    """The JSON Schema of `.shipmate.yml`, for editors."""
    return web.json_response(schema(), headers={**HEADERS, "Access-Control-Allow-Origin": "*"})
