"""Sends the API's envelopes over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from bot.api import envelopes
from bot.errors import ShipmateError


def success(data: Mapping[str, Any], message: str, status: int = 200, **headers: str) -> web.Response:
    """`{"code", "message", "data"}`. A header's underscores become hyphens."""
    return _sent(envelopes.success(data, message, status, **headers))


def failure(error: ShipmateError, language: str, now: datetime) -> web.Response:
    """An error, worded for its reader."""
    return _sent(envelopes.failure(error, language, now))


def unexpected(error: Exception, language: str, now: datetime) -> web.Response:
    """Our bug."""
    return _sent(envelopes.unexpected(error, language, now))


def _sent(answer: envelopes.Answer) -> web.Response:
    body = orjson.dumps(answer.body, default=str)
    return web.Response(body=body, status=answer.status, content_type="application/json", headers=dict(answer.headers))
