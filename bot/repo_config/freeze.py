"""Whether an environment is frozen at a moment, until when and why: windows of days, hours and dates in a time zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = time()
ONE_DAY = timedelta(days=1)
FARTHEST_DAYS = 8
"""How far ahead the end of a window that comes back each week is looked for."""


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """When nothing may be deployed: on these days, between these hours, from one moment to another; all must hold.

    Plain JSON, so that a plan can keep it. Hours that end before they begin go over midnight, and belong to the day
    they begin on.
    """

    days: tuple[str, ...] = ()
    """`mon` … `sun`; none: each day."""
    hours: str | None = None
    """`17:00-09:00`; None: all day."""
    zone: str = "UTC"
    begins: str | None = None
    """A date or a moment in the window's zone, ISO 8601."""
    ends: str | None = None
    """The same; a date is the last day that is frozen."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Frozen:
    """An environment is frozen. `until` is in the window's zone; None where the end is farther than is looked for."""

    until: datetime | None
    reason: str


def frozen(windows: Sequence[FreezeWindow], now: datetime) -> Frozen | None:
    """The freeze that holds at `now` (aware), with the end of all the windows that follow on one another."""
    holding = next((window for window in windows if _holds(window, now)), None)
    if holding is None:
        return None
    edges = sorted(edge for window in windows for edge in _edges(window, now) if edge > now)
    until = next((edge for edge in edges if not any(_holds(window, edge) for window in windows)), None)
    return Frozen(until.astimezone(ZoneInfo(holding.zone)) if until else None, holding.reason)


def read_freeze(given: Sequence[Mapping[str, Any]]) -> tuple[FreezeWindow, ...]:
    """The `freeze` of an environment, checked against the schema before."""
    return tuple(
        FreezeWindow(
            days=tuple(one.get("days", ())),
            hours=one.get("hours"),
            zone=one.get("timezone", "UTC"),
            begins=one.get("from"),
            ends=one.get("to"),
            reason=one.get("reason", ""),
        )
        for one in given
    )


def fault_of(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """What no schema can say of one window: the key at fault, and the problem."""
    try:
        zone = ZoneInfo(given.get("timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "timezone", f"there is no time zone {given['timezone']!r}; name one as `Europe/Berlin` or `Asia/Seoul`"
    bounds: dict[str, datetime] = {}
    for key in ("from", "to"):
        try:
            bounds |= {key: _moment(given[key], zone, last=key == "to")} if key in given else {}
        except ValueError:
            return key, f"{given[key]!r} is no date or moment; write `2026-12-20` or `2026-12-20T18:00`"
    if len(bounds) == 2 and bounds["from"] >= bounds["to"]:
        return "to", "this is not after `from`"
    return None


def _holds(window: FreezeWindow, at: datetime) -> bool:
    zone = ZoneInfo(window.zone)
    if window.begins is not None and at < _moment(window.begins, zone, last=False):
        return False
    if window.ends is not None and at >= _moment(window.ends, zone, last=True):
        return False
    local = at.astimezone(zone)
    start, end = _hours(window)
    if start < end or end == MIDNIGHT:
        return _on(window, local.date()) and start <= local.time() and (end == MIDNIGHT or local.time() < end)
    began_yesterday = local.time() < end and _on(window, local.date() - ONE_DAY)
    return began_yesterday or (local.time() >= start and _on(window, local.date()))


def _on(window: FreezeWindow, day: date) -> bool:
    return not window.days or DAYS[day.weekday()] in window.days


def _hours(window: FreezeWindow) -> tuple[time, time]:
    """Beginning and end; the end of the day is midnight."""
    if window.hours is None:
        return MIDNIGHT, MIDNIGHT
    start, _, end = window.hours.partition("-")
    return time.fromisoformat(start), MIDNIGHT if end == "24:00" else time.fromisoformat(end)


def _edges(window: FreezeWindow, now: datetime) -> Iterator[datetime]:
    """The moments of the days ahead at which the window may end."""
    zone = ZoneInfo(window.zone)
    today = now.astimezone(zone).date()
    for ahead in range(FARTHEST_DAYS + 1):
        for clock in {MIDNIGHT, *_hours(window)}:
            yield datetime.combine(today + timedelta(days=ahead), clock, zone).astimezone(UTC)
    if window.ends is not None:
        yield _moment(window.ends, zone, last=True)


def _moment(text: str, zone: ZoneInfo, *, last: bool) -> datetime:
    """A date is its midnight, or as the `last` one the midnight after it. Raises ValueError."""
    if "T" not in text and " " not in text:
        day = date.fromisoformat(text) + (ONE_DAY if last else timedelta())
        return datetime.combine(day, MIDNIGHT, zone).astimezone(UTC)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
