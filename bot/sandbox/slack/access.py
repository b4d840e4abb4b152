"""Which tokens there are, what each may call, and when one is asking too often."""

import math
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.refusals import SlackError

BOT_SCOPES = frozenset(
    {
        *("app_mentions:read", "chat:write", "commands", "files:read", "files:write", "team:read"),
        *("channels:history", "channels:join", "channels:read", "groups:history", "groups:read"),
        *("im:history", "im:read", "im:write", "mpim:history", "mpim:read", "mpim:write"),
        *("reactions:read", "reactions:write", "users:read", "users:read.email"),
    }
)
"""What a chat-ops bot is given at installation; settable per token."""
APP_SCOPES = frozenset({"connections:write"})
STATE_ERRORS = {
    "revoked": "token_revoked",
    "expired": "token_expired",
    "inactive": "account_inactive",
}


@dataclass
class Grant:
    """One token: its kind (`bot`, or `app` for Socket Mode), its scopes, and whether it still holds."""

    token: str
    kind: Literal["bot", "app"] = "bot"
    scopes: frozenset[str] = BOT_SCOPES
    state: str = "active"

    def require(self, *needed: str) -> None:
        """Any one of these scopes. Raises SlackError `missing_scope` with `needed` and `provided`."""
        if needed and not self.scopes.intersection(needed):
            raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(sorted(self.scopes)))


@dataclass(frozen=True)
class Rate:
    """`per_minute` calls, of which `burst` may come at once."""

    per_minute: float
    burst: int


TIER_1 = Rate(1, 5)
"""Once a minute, and, as the documentation says, a small amount of burst behaviour is tolerated."""
TIER_2 = Rate(20, 20)
TIER_3 = Rate(50, 50)
TIER_4 = Rate(100, 100)
POSTING = Rate(60, 5)
"""One message a second and channel, short bursts allowed: https://docs.slack.dev/apis/web-api/rate-limits"""
GENEROUS = Rate(600, 600)


@dataclass
class Limiter:
    """Token buckets by method (and channel). `enabled` and `overrides` (method → rate) can be set at any time."""

    clock: Clock
    enabled: bool = True
    overrides: dict[str, Rate] = field(default_factory=dict)
    _buckets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def take(self, method: str, key: str, rate: Rate) -> int | None:
        """None: go on, counted. Else the whole seconds to wait, for Retry-After; nothing is counted."""
        rate = self.overrides.get(method, rate)
        now, per_s = self.clock.now(), rate.per_minute / 60
        left, at = self._buckets.get((method, key), (float(rate.burst), now))
        left = min(float(rate.burst), left + (now - at) * per_s)
        if not self.enabled or left >= 1:
            self._buckets[method, key] = (left - 1 if self.enabled else left, now)
            return None
        self._buckets[method, key] = (left, now)
        return max(1, math.ceil((1 - left) / per_s))
