"""The door of the API: who may come in, how often, in which language they are answered, and how errors look."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api.language import language_of
from bot.clock import Clock
from bot.errors import Forged, ShipmateError, Transient, Unreadable
from bot.links import Links
from bot.store.keys import ApiKey, ApiKeys
from handlers.api.envelope import failure, unexpected
from handlers.api.keys import key_of
from handlers.api.limits import Allowance, Buckets, Rate

PREFIX = "/api/v1/"
KEY_RATE = Rate(600, 60.0)
ADDRESS_RATE = Rate(1200, 60.0)
"""Wider than a key's: many programs may stand behind one address."""
_OF_A_JOB = re.compile(r"/api/v1/\w+/(dep_[a-z0-9]{10})/[a-z]+")

log = logging.getLogger("shipmate.api")


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the door needs. `others` are paths of the API that do not stand under its prefix."""

    keys: ApiKeys
    links: Links
    clock: Clock
    locale: str = "en"
    others: frozenset[str] = frozenset()
    by_key: Buckets = field(default_factory=lambda: Buckets(KEY_RATE))
    by_address: Buckets = field(default_factory=lambda: Buckets(ADDRESS_RATE))

    def is_api(self, path: str) -> bool:
        """Whether a path belongs to the API."""
        return path.startswith(PREFIX) or path in self.others


GATEWAY: web.AppKey[Gateway] = web.AppKey("api gateway")
LANGUAGE: web.RequestKey[str] = web.RequestKey("language", str)
CALLER: web.RequestKey[ApiKey | None] = web.RequestKey("caller")


def add_to(app: web.Application, gateway: Gateway, routes: Iterable[web.RouteTableDef]) -> None:
    """Serve these routes behind the door. Every path of the API needs a key, or a job's signed link to read that job.

    A handler finds the reader's language at `request[LANGUAGE]` and the key's record at `request[CALLER]` (None when a
    link let the request in). It raises ShipmateError, and the door words it.
    """
    app[GATEWAY] = gateway
    app.middlewares.append(_door)
    for table in routes:
        app.add_routes(table)


@web.middleware
async def _door(request: web.Request, handler: Handler) -> web.StreamResponse:
    gateway = request.app[GATEWAY]
    if not gateway.is_api(request.path):
        return await handler(request)
    request[LANGUAGE] = language_of(request.headers.get("Accept-Language"), gateway.locale)
    allowance = gateway.by_address.take(request.remote or "")
    try:
        _require(allowance)
        request[CALLER] = key = await _admitted(request, gateway)
        if key is not None:
            allowance = gateway.by_key.take(key.id)
            _require(allowance)
        response = await _asked(request, handler)
    except ShipmateError as error:
        response = failure(error, request[LANGUAGE], gateway.clock())
    except ConnectionError:
        raise
    except Exception as error:
        log.exception("an API request broke", extra={"path": request.path, "method": request.method})
        response = unexpected(error, request[LANGUAGE], gateway.clock())
    if not response.prepared:
        response.headers.update(allowance.headers)
        response.headers["Content-Language"] = request[LANGUAGE]
    return response


async def _asked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer; what aiohttp itself refuses is worded like the rest."""
    try:
        return await handler(request)
    except web.HTTPNotFound as error:
        raise Unreadable("path_unknown", path=request.path[:200]) from error
    except web.HTTPMethodNotAllowed as error:
        raise Unreadable("method_unknown", method=request.method, known=sorted(error.allowed_methods)) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise Unreadable("body_too_large") from error


async def _admitted(request: web.Request, gateway: Gateway) -> ApiKey | None:
    """The caller's key, or None where a signed link lets the request in. Raises Forged("key_needed")."""
    key = await key_of(request.headers, gateway.keys, gateway.clock())
    if key is None and not _has_link(request, gateway.links):
        raise Forged("key_needed")
    return key


def _has_link(request: web.Request, links: Links) -> bool:
    """Whether it reads one job under a link made for that job, as a browser's EventSource does."""
    named = _OF_A_JOB.fullmatch(request.path)
    if named is None or request.method != "GET":
        return False
    return links.holds(named[1], request.query.get("until", ""), request.query.get("sig", ""))


def _require(allowance: Allowance) -> None:
    if not allowance.allowed:
        raise Transient("rate_limited", retry_after_s=allowance.retry_after_s, seconds=allowance.retry_after_s)
