"""The two envelopes every answer of the API comes in, and which status, headers and words an error has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from bot import messages
from bot.errors import Forged, Permanent, ShipmateError, Transient

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
RETRY_AFTER_S = 5.0
_SHOWN_FACTS = ("line", "column", "path", "limit")
"""Facts of an error that programs act on, beside the sentence made of all of them."""

_STATUS: Mapping[str, HTTPStatus] = {
    "address_not_allowed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "analysis_not_done": HTTPStatus.CONFLICT,
    "analysis_not_found": HTTPStatus.NOT_FOUND,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_not_json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "connection_unknown": HTTPStatus.NOT_FOUND,
    "deployment_not_found": HTTPStatus.NOT_FOUND,
    "fork": HTTPStatus.FORBIDDEN,
    "github_not_found": HTTPStatus.NOT_FOUND,
    "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_body": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_query": HTTPStatus.UNPROCESSABLE_ENTITY,
    "job_not_found": HTTPStatus.NOT_FOUND,
    "job_over": HTTPStatus.CONFLICT,
    "key_limited": HTTPStatus.FORBIDDEN,
    "method_unknown": HTTPStatus.METHOD_NOT_ALLOWED,
    "no_repositories": HTTPStatus.NOT_FOUND,
    "nothing_analysed": HTTPStatus.NOT_FOUND,
    "path_unknown": HTTPStatus.NOT_FOUND,
    "permission_needed": HTTPStatus.FORBIDDEN,
    "permission_unreadable": HTTPStatus.FORBIDDEN,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "ref_not_found": HTTPStatus.NOT_FOUND,
    "repository_not_installed": HTTPStatus.NOT_FOUND,
    "repository_unknown": HTTPStatus.NOT_FOUND,
    "user_unknown": HTTPStatus.NOT_FOUND,
}
"""Where a code says more than its class does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API before a door sends it: `body` is plain JSON but for what `str` makes plain."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def success(data: Mapping[str, Any], message: str, status: int = 200, **headers: str) -> Answer:
    """`{"code", "message", "data"}`. A header's underscores become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"code": status, "message": message, "data": data}, {**NO_STORE, **named})


def failure(error: ShipmateError, language: str, now: datetime) -> Answer:
    """`{"timestamp", "status", "error", "message", "errorCode", …}` with the facts that programs act on."""
    status = status_of(error)
    facts = {name: error.facts[name] for name in _SHOWN_FACTS if name in error.facts}
    if "fields" in error.facts:
        facts["fields"] = [_told(fault, language) for fault in error.facts["fields"]]
    words = messages.failure(language, error.code, error.facts)
    body = {**_head(status, now), "message": words, "errorCode": error.code.upper(), **facts}
    return Answer(int(status), body, {**NO_STORE, **_headers(error, status)})


def unexpected(error: Exception, language: str, now: datetime) -> Answer:
    """Our bug: the exception's class is named, and nothing of what it says."""
    name = type(error).__name__
    words = messages.failure(language, "unexpected_error", {"exception_class": name})
    head = _head(HTTPStatus.INTERNAL_SERVER_ERROR, now)
    body = {**head, "message": words, "errorCode": "UNEXPECTED_ERROR", "exceptionClass": name}
    return Answer(int(HTTPStatus.INTERNAL_SERVER_ERROR), body, NO_STORE)


def status_of(error: ShipmateError) -> HTTPStatus:
    """The HTTP status of an error: what its code says, else what its class does."""
    known = _STATUS.get(error.code)
    if known is not None:
        return known
    match error:
        case Forged():
            return HTTPStatus.UNAUTHORIZED
        case Transient():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case Permanent() if error.code.startswith("github_"):
            return HTTPStatus.BAD_GATEWAY
        case _:
            return HTTPStatus.BAD_REQUEST


def when(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond; None stays None."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _head(status: HTTPStatus, now: datetime) -> dict[str, Any]:
    return {"timestamp": when(now), "status": int(status), "error": status.phrase}


def _told(fault: Mapping[str, Any], language: str) -> dict[str, str]:
    """What is wrong with one field, said."""
    return {"field": fault["field"], "fault": messages.say(language, f"fault.{fault['rule']}", **fault)}


def _headers(error: ShipmateError, status: HTTPStatus) -> dict[str, str]:
    """How to come in, or when to come again."""
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="shipmate"'}
    if status not in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        return {}
    wait_s = error.retry_after_s if isinstance(error, Transient) else None
    return {"Retry-After": str(math.ceil(wait_s or RETRY_AFTER_S))}
