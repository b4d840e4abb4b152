"""Finds the API key a request shows, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.store.keys import ApiKey, ApiKeys


def shown_key(headers: Mapping[str, str]) -> str:
    """The key in `X-API-Key` or in `Authorization: Bearer`; empty when there is none."""
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    return headers.get("X-API-Key") or (bearer.strip() if scheme.lower() == "bearer" else "")


async def key_of(headers: Mapping[str, str], keys: ApiKeys, now: datetime) -> ApiKey | None:
    """The record of the key a request shows, None when it shows none that holds."""
    shown = shown_key(headers)
    return await keys.verify(shown, now) if shown else None
