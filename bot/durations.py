"""Lengths of time as people write and read them: `90s`, `1h30m`, `3d`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from bot.errors import Refused

UNITS: Mapping[str, int] = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,6})([smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}){{1,5}}")


def duration(text: str) -> timedelta:
    """The length that was written; parts add up. Raises Refused("bad_duration")."""
    if not _WHOLE.fullmatch(text):
        raise Refused("bad_duration", given=text[:40])
    return timedelta(seconds=sum(int(count) * UNITS[unit] for count, unit in _PART.findall(text)))


def seconds_of(given: str | int) -> int:
    """Whole seconds of a setting: a number of them, or a length as `duration` reads it."""
    return given if isinstance(given, int) else int(duration(given).total_seconds())


def shown(length: timedelta) -> str:
    """The length in its two largest units that are not nothing: `2d 3h`, `45s`; `0s` for none or less."""
    left = max(0, int(length.total_seconds()))
    parts: list[str] = []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts[:2]) or "0s"
