"""The rule of every door while the house cannot answer: 503 with when to come again, and for a browser a page."""

from __future__ import annotations

import logging
import math

from aiohttp import web
from aiohttp.typedefs import Handler

from bot import messages
from bot.errors import Transient
from bot.web.link_page import CONTENT_SECURITY_POLICY, notice
from handlers.pages import LOCALE

RETRY_AFTER_S = 5.0
"""Where nobody named a time."""

log = logging.getLogger("shipmate.web")


def add_to(app: web.Application) -> None:
    """Answer so at every door of this application, but for those that word it themselves."""
    app.middlewares.append(come_again)


@web.middleware
async def come_again(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No Transient leaves the house as an error of ours, and no 503 without `Retry-After`."""
    wait_s = RETRY_AFTER_S
    try:
        response = await handler(request)
    except Transient as busy:
        log.warning("a request could not be answered now", extra={"path": request.path, "code": busy.code})
        wait_s = busy.retry_after_s or RETRY_AFTER_S
        response = _sorry(request, busy, math.ceil(wait_s))
    if response.status == 503 and not response.prepared:
        response.headers.setdefault("Retry-After", str(math.ceil(wait_s)))
    return response


def _sorry(request: web.Request, busy: Transient, wait_s: int) -> web.Response:
    """A page that comes again by itself, or a sentence; nothing of what was asked for, nor of whether it is there."""
    locale = request.app[LOCALE]
    sentence = messages.say(locale, "page.busy", seconds=wait_s)
    headers = {"Cache-Control": "no-store", "Retry-After": str(wait_s)}
    if "text/html" not in request.headers.get("Accept", ""):
        return web.Response(status=503, text=sentence, headers=headers)
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    if request.method == "GET":
        headers["Refresh"] = str(wait_s)
    text = notice(locale, sentence, "page.closed")
    return web.Response(status=503, text=text, content_type="text/html", headers=headers)
