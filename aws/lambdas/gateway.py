"""Reads what API Gateway hands over, in both of its formats, and writes what it sends back."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from bot.api.envelopes import Answer
from bot.api.forms import MOST_BYTES
from bot.errors import Unreadable

_SESSION = re.compile(r"(:assumed-role/[^/]+)/.*", re.DOTALL)
"""What tells sessions of one role apart says nothing about who asks."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as the gateway let it in. Names of headers are in lower case."""

    method: str
    path: str
    asker: str
    """Whom the gateway's authorizer proved; empty when it asked nobody for proof."""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    is_base64: bool = False

    @property
    def content_type(self) -> str:
        """Without its parameters; without the header as RFC 9110 has it."""
        return self.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()

    def body(self) -> bytes:
        """The bytes that were sent. Raises Unreadable("body_unreadable" or "body_too_large")."""
        try:
            raw = base64.b64decode(self.text, validate=True) if self.is_base64 else self.text.encode()
        except (binascii.Error, ValueError) as error:
            raise Unreadable("body_unreadable") from error
        if len(raw) > MOST_BYTES:
            raise Unreadable("body_too_large", limit=MOST_BYTES)
        return raw


def request_of(event: Mapping[str, Any]) -> Request:
    """The request of a proxy event, format 1.0 (REST) or 2.0 (HTTP API).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=str(http.get("method") or event.get("httpMethod") or ""),
        path=str(event.get("rawPath") or event.get("path") or ""),
        asker=_asker(context),
        headers=headers,
        text=str(event.get("body") or ""),
        is_base64=bool(event.get("isBase64Encoded")),
    )


def reply(answer: Answer, language: str) -> dict[str, Any]:
    """The answer as both formats take it."""
    headers = {"Content-Type": "application/json", **answer.headers, "Content-Language": language}
    body = orjson.dumps(answer.body, default=str).decode()
    return {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": False}


def _asker(context: Mapping[str, Any]) -> str:
    """Whom the gateway's authorizer proved: IAM, a JWT, a Lambda, or a key of a usage plan; empty when nobody."""
    authorizer = context.get("authorizer") or {}
    identity = context.get("identity") or {}
    jwt = (authorizer.get("jwt") or {}).get("claims") or {}
    proven = (
        (authorizer.get("iam") or {}).get("userArn"),
        jwt.get("sub"),
        (authorizer.get("lambda") or {}).get("principalId"),
        authorizer.get("principalId"),
        (authorizer.get("claims") or {}).get("sub"),
        identity.get("userArn"),
        identity.get("apiKeyId"),
    )
    known = next((str(one) for one in proven if one), "")
    return _SESSION.sub(r"\1", known)
