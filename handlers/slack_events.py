"""How Slack tells us things: one signed POST, answered as soon as it is on disk; the work happens elsewhere."""

from __future__ import annotations

import logging

from aiohttp import web

from bot.errors import Forged, ShipmateError, Transient
from bot.slack.inbound.ingress import BODY_LIMIT_BYTES, SlackIngress

PATH = "/slack/events"

log = logging.getLogger("shipmate.ingress")

INGRESS = web.AppKey("slack ingress", SlackIngress)


def add_to(app: web.Application, ingress: SlackIngress) -> None:
    """Take in commands, clicks and events at `POST /slack/events`."""
    app[INGRESS] = ingress
    app.router.add_post(PATH, slack_events)


async def slack_events(request: web.Request) -> web.Response:
    """Verify and record one request, then answer within Slack's three seconds.

    200 with no body when it is on disk, also for one seen before · 200 with the challenge, what a menu offers, or what
    is wrong in a dialog, none of which is recorded · 401 and no word when it is not signed by Slack just now · 400 when
    signed and unreadable · 413 when too large · 503 when it cannot be recorded now: an event comes again, and the
    person who typed a command is shown that it failed.
    """
    ingress = request.app[INGRESS]
    try:
        reply = await ingress.take(request.headers, await _body(request))
    except ShipmateError as error:
        ingress.metrics.deliveries.labels(error.code).inc()
        return _refusal(error)
    return web.Response() if reply is None else web.json_response(reply)


async def _body(request: web.Request) -> bytes:
    """The raw bytes. Raises HTTPRequestEntityTooLarge, before reading where the size is named."""
    size_bytes = request.content_length or 0
    body = await request.read() if size_bytes <= BODY_LIMIT_BYTES else b""
    if max(size_bytes, len(body)) > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT_BYTES, actual_size=max(size_bytes, len(body)))
    return body


def _refusal(error: ShipmateError) -> web.Response:
    """Nothing of a refused body is logged."""
    log.info("refused a request of Slack's", extra={"code": error.code, "facts": error.facts})
    if isinstance(error, Forged):
        return web.Response(status=401)
    if isinstance(error, Transient):
        return web.json_response({"error": error.code}, status=503)
    return web.json_response({"error": error.code}, status=400, headers={"X-Slack-No-Retry": "1"})
