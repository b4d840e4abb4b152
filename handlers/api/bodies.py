"""Reads a request's JSON against its schema, as far as it is JSON and not too much of it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.api.forms import MOST_BYTES, Schema, checked, parsed, require_json
from bot.errors import Unreadable


async def read_body(request: web.Request, schema: Schema, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The request's JSON object, checked.

    Raises Unreadable("body_not_json", "body_unreadable" or "body_too_large"), and UserMistake("invalid_body", fields)
    with one `{field, rule, …}` for each fault.
    """
    require_json(request.content_type)
    return checked(parsed(await _raw(request, most_bytes)), schema)


async def _raw(request: web.Request, most_bytes: int) -> bytes:
    """The bytes; too many are refused as soon as they are."""
    chunks, size = [], 0
    while size <= most_bytes and (chunk := await request.content.readany()):
        chunks.append(chunk)
        size += len(chunk)
    if size > most_bytes:
        raise Unreadable("body_too_large", limit=most_bytes)
    return b"".join(chunks)
