"""Counts requests against GitHub's primary and secondary rate limits.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.github.refusals import GitHubError
from bot.sandbox.github.tokens import Identity

WINDOW_S = 3600
MINUTE_S = 60
PRIMARY_DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
SECONDARY_DOCS = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


@dataclass
class Settings:
    """The figures; each may be changed while running. `anonymous_per_hour` is for requests without a token."""

    primary: bool = True
    secondary: bool = True
    per_hour: int = 5000
    anonymous_per_hour: int = 60
    content_per_minute: int = 80
    content_per_hour: int = 500
    points_per_minute: int = 900
    concurrent: int = 100
    retry_after_s: int = 60


@dataclass
class Bucket:
    """What one asker used in the running hour, wrote in the last hour, and spent in the last minute."""

    resets_at: int
    used: int = 0
    written: deque[float] = field(default_factory=deque)
    points: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass
class Limits:
    """All buckets, and how many requests run right now."""

    settings: Settings = field(default_factory=Settings)
    clock: Callable[[], float] = time.time
    running: int = 0
    resource: str = "core"
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def take(self, identity: Identity, method: str, request_id: str, *, creates_content: bool) -> None:
        """Count one request. Raises GitHubError 403 or 429 when a limit is reached."""
        bucket = self._bucket(identity)
        if self.settings.primary and bucket.used >= self._limit(identity):
            raise GitHubError(403, self._exceeded(identity, request_id), docs=PRIMARY_DOCS)
        if self.settings.secondary and self._rushed(bucket, method, creates_content):
            raise secondary_limit(self.settings.retry_after_s, request_id)
        bucket.used += 1

    def give_back(self, identity: Identity) -> None:
        """A request that turned out not to count."""
        self._bucket(identity).used -= 1

    def headers(self, identity: Identity) -> dict[str, str]:
        """What every answer says about the primary limit."""
        facts = self.facts(identity)
        return {f"X-RateLimit-{name.capitalize()}": str(number) for name, number in facts.items()} | {
            "X-RateLimit-Resource": self.resource
        }

    def facts(self, identity: Identity) -> dict[str, int]:
        """Limit, remaining, reset (epoch seconds) and used."""
        bucket, limit = self._bucket(identity), self._limit(identity)
        remaining = max(0, limit - bucket.used)
        return {"limit": limit, "remaining": remaining, "reset": bucket.resets_at, "used": bucket.used}

    def use_up(self, bucket: str, remaining: int = 0, resets_in_s: int = WINDOW_S) -> None:
        """Leave an asker (`installation:ID`, `user:LOGIN`, `app`, `anonymous`) only so many requests."""
        used = (self.settings.anonymous_per_hour if bucket == "anonymous" else self.settings.per_hour) - remaining
        self._buckets[bucket] = Bucket(int(self.clock()) + resets_in_s, used)

    def forget(self) -> None:
        """Start every count anew."""
        self._buckets.clear()

    def _limit(self, identity: Identity) -> int:
        return self.settings.anonymous_per_hour if identity.kind == "anonymous" else self.settings.per_hour

    def _bucket(self, identity: Identity) -> Bucket:
        """The asker's count, begun anew when its hour is over."""
        now = self.clock()
        bucket = self._buckets.get(identity.bucket)
        if bucket is None or bucket.resets_at <= now:
            bucket = self._buckets[identity.bucket] = Bucket(int(now) + WINDOW_S)
        return bucket

    def _rushed(self, bucket: Bucket, method: str, creates_content: bool) -> bool:
        """Note one request and say whether it was one too many for the last minute, or for the last hour."""
        now, settings = self.clock(), self.settings
        _forget_before(now - WINDOW_S, bucket.written)
        while bucket.points and bucket.points[0][0] <= now - MINUTE_S:
            bucket.points.popleft()
        cost = 5 if method in WRITES else 1
        spent = sum(points for _, points in bucket.points) + cost
        if creates_content and self._wrote_too_much(bucket, now):
            return True
        if spent > settings.points_per_minute or self.running > settings.concurrent:
            return True
        bucket.points.append((now, cost))
        if creates_content:
            bucket.written.append(now)
        return False

    def _wrote_too_much(self, bucket: Bucket, now: float) -> bool:
        lately = sum(moment > now - MINUTE_S for moment in bucket.written)
        return lately >= self.settings.content_per_minute or len(bucket.written) >= self.settings.content_per_hour

    def _exceeded(self, identity: Identity, request_id: str) -> str:
        if identity.installation:
            return (
                f"API rate limit exceeded for installation ID {identity.installation.id}. If you reach out to GitHub "
                f"Support for help, please include the request ID {request_id}."
            )
        if identity.user:
            return f"API rate limit exceeded for user ID {identity.user.id}."
        return (
            "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated requests get a higher "
            "rate limit. Check out the documentation for more details.)"
        )


def _forget_before(moment: float, moments: deque[float]) -> None:
    """Drop what is as old as `moment` or older."""
    while moments and moments[0] <= moment:
        moments.popleft()


def secondary_limit(retry_after_s: int, request_id: str) -> GitHubError:
    """The refusal of somebody who goes too fast."""
    return GitHubError(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
        f"GitHub Support for help, please include the request ID {request_id}.",
        docs=SECONDARY_DOCS,
        headers={"Retry-After": str(retry_after_s)},
    )
