"""What somebody sees who may not open a page, or asks for one that is not there: a page, or a sentence for programs."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from bot import messages
from bot.web.link_page import CONTENT_SECURITY_POLICY, notice

Refusal = TypeVar("Refusal", web.HTTPForbidden, web.HTTPNotFound)


def closed(request: web.Request, locale: str) -> web.HTTPForbidden:
    """Neither a link that holds nor a key. Nothing tells whether there is such a page."""
    return _refusal(request, web.HTTPForbidden, locale, "page.forbidden")


def missing(request: web.Request, locale: str) -> web.HTTPNotFound:
    """For those who were let in."""
    return _refusal(request, web.HTTPNotFound, locale, "page.not_found")


def _refusal(request: web.Request, kind: type[Refusal], locale: str, key: str) -> Refusal:
    sentence = messages.say(locale, key)
    if "text/html" not in request.headers.get("Accept", ""):
        return kind(text=sentence)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return kind(text=notice(locale, sentence, "page.closed"), content_type="text/html", headers=headers)
