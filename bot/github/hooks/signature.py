"""Decides whether a webhook's body was signed by someone who knows the secret."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from bot.errors import Forged

PREFIX = b"sha256="


def require_signature(body: bytes, header: str | None, secrets: Sequence[bytes]) -> None:
    """Pass when `X-Hub-Signature-256` is the HMAC SHA-256 of the raw body under one of `secrets`.

    Every secret is tried in constant time, so the answer's timing tells neither which one nor how much matched.
    SHA-1, no header, and no usable secret are all refused. Raises Forged, whose code is for the log alone.
    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    if header is None:
        raise Forged("signature_missing")
    given = header.encode("utf-8", "surrogateescape")
    if not given.startswith(PREFIX):
        raise Forged("signature_not_sha256")
    matched = False
    for secret in filter(None, secrets):
        expected = PREFIX + hmac.digest(secret, body, "sha256").hex().encode()
        matched |= hmac.compare_digest(expected, given)
    if not matched:
        raise Forged("signature_mismatch")
