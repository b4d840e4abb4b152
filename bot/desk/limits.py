"""Decides what becomes of an order while GitHub takes no requests: a short limit is waited for, a long one told."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import Permanent, Refused, ShipmateError, Transient
from bot.locks import TIME_FORM

LONGEST_WAIT_S = 75.0
"""A person still waits for an answer. GitHub asks for a minute where it names no time, and tells resets in seconds.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
"""

SPOKEN = frozenset({"comment", "check_run", "slack"})
"""Faces where people speak. Programs are told by HTTP when to come again; what GitHub tells of itself waits."""


def limit_behind(error: ShipmateError) -> Transient | None:
    """The limit for which something could not be asked of GitHub; None: that was not why."""
    for one in (error, error.__cause__):
        if isinstance(one, Transient) and one.code == "github_rate_limited":
            return one
    return None


def told_now(error: Refused | Permanent | Transient, now: datetime) -> Refused | Permanent:
    """What somebody who said something is told now.

    Raises Transient for what may be over soon: their order stands on disk meanwhile, and is decided on again.
    """
    limit = limit_behind(error)
    if limit is None and not isinstance(error, Transient):
        return error
    if limit is None or limit.retry_after_s is None or limit.retry_after_s <= LONGEST_WAIT_S:
        raise limit or error
    until = now + timedelta(seconds=limit.retry_after_s, minutes=1)
    refused = Refused("github_limited", until=until.strftime(TIME_FORM))
    refused.__cause__ = limit
    return refused
