"""How GitHub writes a moment: ISO 8601 in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime


def parsed(text: str | None) -> datetime | None:
    """The moment, aware; None for none. Raises ValueError when it is not one, or has no zone."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment


def written(moment: datetime | None) -> str | None:
    """`YYYY-MM-DDTHH:MM:SSZ`; None for None. `moment` is aware."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
