"""How GitHub tells us things: one signed POST, answered as soon as it is on disk; the work happens elsewhere."""

from __future__ import annotations

import logging
import math

from aiohttp import web

from bot.deliveries.ingress import BODY_LIMIT_BYTES, Ingress
from bot.errors import Forged, ShipmateError, Transient

PATH = "/webhook/github"
RECORDED = b'{"recorded":true}'
KNOWN = b'{"recorded":false}'
RETRY_AFTER_S = 5.0

log = logging.getLogger("shipmate.ingress")


INGRESS = web.AppKey("ingress", Ingress)


def add_to(app: web.Application, ingress: Ingress) -> None:
    """Take in webhooks at `POST /webhook/github`."""
    app[INGRESS] = ingress
    app.router.add_post(PATH, github_webhook)


async def github_webhook(request: web.Request) -> web.Response:
    """Take in one delivery; see `answer`."""
    return await answer(request.app[INGRESS], request)


def put_in_front(runner: web.AppRunner, ingress: Ingress) -> None:
    """Let webhooks pass ahead of the application's routing, which costs a tenth of what one takes.

    The runner must be set up and serve no site yet. All other requests, and those that ask leave first (`Expect`),
    go on to the application. Raises ValueError when it is not set up.
    """
    server = runner.server
    if server is None:
        raise ValueError("the runner is not set up")
    behind = server.request_handler

    async def front(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == PATH and request.method == "POST" and "Expect" not in request.headers:
            return await answer(ingress, request)
        return await behind(request)

    server.request_handler = front


async def answer(ingress: Ingress, request: web.BaseRequest) -> web.Response:
    """Verify and record one delivery, then answer.

    202 when it is on disk (`recorded` is false for one seen before) · 401 and no word when it is not signed by one
    who knows the secret · 400 when signed, with headers that make no sense · 413 over 25 MB · 503 when it cannot be
    recorded now: GitHub counts it as failed and it is asked for again. Nothing of a refused body is logged.
    """
    try:
        is_new = await ingress.take(request.headers, await _body(request))
    except ShipmateError as error:
        ingress.metrics.deliveries.labels(error.code).inc()
        return _refusal(error)
    ingress.metrics.deliveries.labels("recorded" if is_new else "known").inc()
    return web.Response(status=202, body=RECORDED if is_new else KNOWN, content_type="application/json")


def _refusal(error: ShipmateError) -> web.Response:
    log.info("refused a delivery", extra={"code": error.code, "facts": error.facts})
    if isinstance(error, Forged):
        return web.Response(status=401)
    if isinstance(error, Transient):
        retry_after = str(math.ceil(error.retry_after_s or RETRY_AFTER_S))
        return web.json_response({"error": error.code}, status=503, headers={"Retry-After": retry_after})
    return web.json_response({"error": error.code, **error.facts}, status=400)


async def _body(request: web.BaseRequest) -> bytes:
    """The raw bytes. Raises HTTPRequestEntityTooLarge as soon as they are too many, whatever the app's own limit."""
    size_bytes = request.content_length or 0
    chunks: list[bytes] = []
    if size_bytes <= BODY_LIMIT_BYTES:
        size_bytes = 0
        while size_bytes <= BODY_LIMIT_BYTES and (chunk := await request.content.readany()):
            chunks.append(chunk)
            size_bytes += len(chunk)
    if size_bytes > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=BODY_LIMIT_BYTES, actual_size=size_bytes)
    return b"".join(chunks)
