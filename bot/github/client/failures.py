"""Decides what a reply that is not a success means: wait, renew, try again, or which error of our tree it is."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import Permanent, ShipmateError, Transient
from bot.github.client.patience import RateLimit
from bot.github.client.wire import Reply

SECONDARY_WAIT_S = 60.0
"""How long to wait when GitHub names no time.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
"""
_LONGEST_MESSAGE = 500


class NotFound(Permanent):
    """GitHub knows no such thing, or does not let this installation see it."""


def rate_limit(reply: Reply) -> RateLimit | None:
    """The limit a reply speaks of, else None. Such a request was not carried out, so repeating it is safe.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if reply.status not in {403, 429}:
        return None
    named = _seconds(reply.headers.get("Retry-After"))
    if named is None and reply.headers.get("X-RateLimit-Remaining") == "0":
        reset = _seconds(reply.headers.get("X-RateLimit-Reset"))
        return RateLimit(True, max(0.0, reset - _server_time(reply)) + 1.0 if reset else SECONDARY_WAIT_S)
    said = _said(reply).get("message", "")
    if named is not None or reply.status == 429 or "secondary rate limit" in said or "abuse detection" in said:
        return RateLimit(False, SECONDARY_WAIT_S if named is None else named)
    return None


def retry_after_s(reply: Reply) -> float | None:
    """The time a reply asks to wait, in seconds."""
    return _seconds(reply.headers.get("Retry-After"))


def clock_skew_s(reply: Reply) -> float:
    """How many seconds GitHub's clock is ahead of ours."""
    return _server_time(reply) - time.time()


def rate_limited(operation: str, limit: RateLimit) -> Transient:
    """The error for a limit that lasts longer than is worth waiting for."""
    return Transient(
        "github_rate_limited",
        retry_after_s=limit.wait_s,
        operation=operation,
        limit="primary" if limit.primary else "secondary",
        maybe_done=False,
    )


def unavailable(operation: str, reply: Reply, *, maybe_done: bool) -> Transient:
    """The error for a 5xx that stayed."""
    return Transient(
        "github_unavailable", retry_after_s=retry_after_s(reply), maybe_done=maybe_done, **_facts(operation, reply)
    )


def unreachable(operation: str, reason: str, *, maybe_done: bool) -> Transient:
    """The error for a reply that never came whole."""
    return Transient("github_unreachable", operation=operation, reason=reason, maybe_done=maybe_done)


def refused(operation: str, reply: Reply) -> ShipmateError:
    """The error for a reply that repeating would not change."""
    kind, code = _KINDS.get(reply.status, (Permanent, "github_refused"))
    return kind(code, **_facts(operation, reply))


_KINDS: Mapping[int, tuple[type[Permanent], str]] = {
    401: (Permanent, "github_unauthorized"),
    403: (Permanent, "github_forbidden"),
    404: (NotFound, "github_not_found"),
    409: (Permanent, "github_conflict"),
    410: (NotFound, "github_not_found"),
    422: (Permanent, "github_invalid"),
}


def _facts(operation: str, reply: Reply) -> dict[str, Any]:
    """What GitHub said of it, cut to a readable length."""
    said = _said(reply)
    facts = {
        "operation": operation,
        "status": reply.status,
        "message": str(said.get("message", ""))[:_LONGEST_MESSAGE],
        "documentation_url": said.get("documentation_url"),
    }
    if said.get("errors"):
        facts["errors"] = json.dumps(said["errors"], ensure_ascii=False)[:_LONGEST_MESSAGE]
    return facts


def _said(reply: Reply) -> dict[str, Any]:
    """The error object in the body; empty when it is anything else, such as a proxy's page."""
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and isinstance(said.get("message", ""), str) else {}


def _server_time(reply: Reply) -> float:
    """GitHub's clock in epoch seconds, ours when it did not say: reset times are by its clock."""
    try:
        return parsedate_to_datetime(reply.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()


def _seconds(text: str | None) -> float | None:
    """A header's number of seconds; None when it is missing or not one."""
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is None or 0 <= value < float("inf") else None
