"""What a call of Slack's Web API is answered: words, a refusal by Slack's own name for it, or trouble that passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import Permanent, Transient

DEFAULT_WAIT_S = 30.0
"""Where Slack names no time to wait: https://docs.slack.dev/apis/web-api/rate-limits names one always."""
PASSING = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""What Slack calls its own trouble: https://docs.slack.dev/reference/methods/chat.postMessage#errors."""


class SlackRefused(Permanent):
    """Slack says no; `reason` is its own word for it, such as `channel_not_found`."""

    def __init__(self, method: str, reason: str, detail: str = "") -> None:
        super().__init__("slack_refused", method=method, reason=reason, detail=detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Said:
    """What Slack answered: the body, and the headers, by their names as Slack wrote them."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


Call = Callable[[str, Mapping[str, Any]], Awaitable[Said]]
"""Calls one method with its arguments. Raises SlackRefused or Transient."""


def passing(method: str, status: int, headers: Mapping[str, str]) -> Transient:
    """Slack's own trouble, or its limit, with the time it named."""
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    wait_s = float(named) if named.isdecimal() else None
    if status == 429:
        return Transient("slack_rate_limited", retry_after_s=wait_s or DEFAULT_WAIT_S, method=method)
    return Transient("slack_unavailable", retry_after_s=wait_s, method=method, status=status)
