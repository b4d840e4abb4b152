"""Decides whether a request was signed by Slack just now.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from bot.errors import Forged

WINDOW_S = 300
"""A signature older, or from further ahead, than five minutes may be a replay."""


def require_slack_signature(
    body: bytes, timestamp: str | None, signature: str | None, secrets: Sequence[bytes], now_s: float
) -> None:
    """Pass when the signature is the v0 HMAC of timestamp and raw body under one of `secrets`, and fresh.

    Every secret is tried in constant time. Raises Forged, whose code is for the log alone.
    """
    if timestamp is None or signature is None:
        raise Forged("signature_missing")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise Forged("timestamp_unreadable")
    base = b"v0:" + timestamp.encode() + b":" + body
    given = signature.encode("utf-8", "surrogateescape")
    matched = False
    for secret in filter(None, secrets):
        expected = b"v0=" + hmac.digest(secret, base, "sha256").hex().encode()
        matched |= hmac.compare_digest(expected, given)
    if not matched:
        raise Forged("signature_mismatch")
    if abs(now_s - int(timestamp)) > WINDOW_S:
        raise Forged("timestamp_old")
