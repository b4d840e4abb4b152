"""How times and JSON stand in a row: whole microseconds since 1970 in UTC, and compact text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware time, exact."""
    return (at - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    """The time in UTC, exact."""
    return EPOCH + us * MICROSECOND


def from_us_or_none(us: int | None) -> datetime | None:
    """The time in UTC, or None where none was kept."""
    return None if us is None else from_us(us)


def seconds_later(at: datetime, seconds: float) -> int:
    """Microseconds since 1970, `seconds` after `at`."""
    return to_us(at) + round(seconds * 1_000_000)


def to_json(value: Mapping[str, Any]) -> str:
    """Compact JSON text."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def from_json(text: str) -> dict[str, Any]:
    """What `to_json` wrote."""
    value: dict[str, Any] = orjson.loads(text)
    return value
