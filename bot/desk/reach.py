"""Decides what a program is told of: the repositories its key sees. Of any other it does not learn that it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.errors import Refused

Sees = Callable[[str], bool]
"""Whether `owner/name` may be told of."""


def everything(_: str) -> bool:
    """What an asker sees whom nothing limits."""
    return True


def require_seen(sees: Sees, names: Iterable[str]) -> None:
    """Raises Refused("repository_not_installed"), as for what is not there, where one of these is not seen.

    The first name is what was asked for; GitHub may know it by another name now, which follows.
    """
    asked, *now = names
    if not all(map(sees, (asked, *now))):
        raise Refused("repository_not_installed", repository=asked[:120])
