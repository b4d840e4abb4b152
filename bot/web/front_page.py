"""The front page: what answers at this address, where jobs are seen, and where programs begin. It tells no secret."""

from __future__ import annotations

from html import escape

from bot import messages
from bot.web.link_page import CONTENT_SECURITY_POLICY, page

__all__ = ["CONTENT_SECURITY_POLICY", "front_page"]

ENTRIES = {
    "swagger": "/swagger-ui.html",
    "api_docs": "/api-docs",
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "schema": "/schema/shipmate.schema.json",
}
"""What anybody may open, by the words it is called by."""
PROGRAMS = {
    "inspections": "POST /api/v1/inspections",
    "deployments": "POST /api/v1/deployments",
    "analyses": "POST /api/v1/analyses",
}
"""Where programs begin; each needs a key."""


def front_page(locale: str) -> str:
    """The whole page as HTML."""
    entries = "".join(f'<li><a href="{path}">{path}</a> · {_word(locale, key)}</li>' for key, path in ENTRIES.items())
    programs = "".join(f"<li><code>{path}</code> · {_word(locale, key)}</li>" for key, path in PROGRAMS.items())
    body = f"""<p>{_word(locale, "what")}</p>
<h2>{_word(locale, "jobs")}</h2>
<p>{_word(locale, "jobs.where")}</p>
<h2>{_word(locale, "programs")}</h2>
<p>{_word(locale, "programs.key")} <code>shipmate keys create NAME</code></p>
<ul>{programs}</ul>
<h2>{_word(locale, "open")}</h2>
<ul>{entries}</ul>"""
    return page(locale, body, "front.title")


def _word(locale: str, key: str) -> str:
    return escape(messages.say(locale, f"front.{key}"))
