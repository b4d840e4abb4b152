"""Reads a Web API request's body in each form Slack accepts, and finds the token."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
CHARSETS = {None, "utf-8", "iso-8859-1"}


@dataclass(frozen=True)
class Body:
    """What a request carries. `error` is the code Slack refuses its form with, `warning` what it only remarks."""

    args: Json = field(default_factory=dict)
    query: Json = field(default_factory=dict)
    token: str = ""
    is_json: bool = False
    error: str | None = None
    warning: str | None = None


async def read_body(request: web.Request) -> Body:
    """Read a request; never raises for what a client may send."""
    query: Json = dict(request.query)
    bearer = request.headers.get("Authorization", "")
    token = bearer.removeprefix("Bearer ").strip() if bearer.startswith("Bearer ") else str(query.get("token", ""))
    error = _form_error(request)
    if error:
        return Body({}, query, token, error=error)
    if request.content_type == "application/json" and request.can_read_body:
        return await _json_body(request, query, token)
    try:
        args = query | (await _form(request) if request.can_read_body else {})
    except ValueError:
        return Body({}, query, token, error="invalid_form_data")
    error = "invalid_array_arg" if any(name.endswith("[]") for name in args) else None
    warning = "superfluous_charset" if request.charset and request.content_type in FORMS else None
    return Body(args, query, token or str(args.get("token", "")), error=error, warning=warning)


def _form_error(request: web.Request) -> str | None:
    """Why a body can't be read, from its headers alone."""
    if not request.can_read_body:
        return None
    if "Content-Type" not in request.headers:
        return "missing_post_type"
    if request.content_type not in FORMS | {"application/json", "text/plain"}:
        return "invalid_post_type"
    charset = request.charset
    return None if (charset.lower() if charset else None) in CHARSETS else "invalid_charset"


async def _json_body(request: web.Request, query: Json, token: str) -> Body:
    """A JSON body. A token inside it doesn't count: Slack wants it in the header then."""
    try:
        given = json.loads(await request.read())
    except (ValueError, RecursionError):
        return Body({}, query, token, is_json=True, error="invalid_json")
    if not isinstance(given, dict):
        return Body({}, query, token, is_json=True, error="json_not_object")
    warning = None if request.charset else "missing_charset"
    return Body(query | given, query, token, is_json=True, warning=warning)


async def _form(request: web.Request) -> Json:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
