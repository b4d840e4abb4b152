"""`POST /api/v1/inspections`: what a repository is, read at GitHub, or what a tree given as data is."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from bot import messages
from bot.api.forms import BRANCH
from bot.desk.programs import ProgramDesk
from bot.errors import UserMistake
from handlers.api.bodies import read_body
from handlers.api.envelope import success
from handlers.api.gateway import LANGUAGE
from handlers.api.reach import seen_by

MOST_TREE_BYTES = 8 * 1024 * 1024
_PATH = {"type": "string", "minLength": 1, "maxLength": 4096}
ASK: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "if": {"required": ["paths"]},
    "else": {"required": ["repo"]},
    "properties": {
        "repo": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$"},
        "ref": BRANCH,
        "paths": {"type": "array", "maxItems": 200_000, "items": _PATH},
        "files": {"type": "object", "maxProperties": 1000, "additionalProperties": {"type": "string"}},
    },
}
DESK: web.AppKey[ProgramDesk] = web.AppKey("inspections desk")

routes = web.RouteTableDef()


@routes.post("/api/v1/inspections")
async def inspect(request: web.Request) -> web.Response:
    """`{repo, ref?}`, or `{paths, files}` as a listing has them. The data is the shell's JSON, with what is unclear."""
    body = await read_body(request, ASK, MOST_TREE_BYTES)
    if "paths" in body and not {"repo", "ref"}.isdisjoint(body):
        raise UserMistake("invalid_body", fields=[{"field": "repo", "rule": "unknown", "known": "paths, files"}])
    if "paths" in body:
        data = await asyncio.to_thread(_of_listing, body["paths"], body.get("files", {}))
    else:
        looked = await request.app[DESK].inspect(body["repo"], body.get("ref"), seen_by(request))
        named = {"repo": looked.repository.full_name, "ref": looked.ref, "sha": looked.sha}
        data = {**named, **looked.inspection.to_json(), "question": looked.inspection.question()}
    return success(data, messages.say(request[LANGUAGE], "api.inspected"))


def _of_listing(paths: list[str], files: dict[str, str]) -> dict[str, Any]:
    from bot.inspect.inspection import inspect_tree
    from bot.inspect.tree import ListingTree

    found = inspect_tree(ListingTree(paths, files))
    return {**found.to_json(), "question": found.question()}
