"""Takes in one request of Slack's: verified first, then recorded as it came; what it says is read later."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.clock import Clock, utc_now
from bot.metrics import Metrics
from bot.slack.requests import challenge_of
from bot.slack.signature import require_slack_signature
from bot.store import Deliveries

EVENT = "slack"
"""The kind of delivery all of Slack's requests are recorded as."""
BODY_LIMIT_BYTES = 1024 * 1024
"""Far above what Slack sends: a view and its state are 250 kB at most."""


@dataclass(frozen=True, slots=True)
class SlackIngress:
    """Where Slack's requests come in. Whoever settles them learns of a new one from the store's own changes."""

    deliveries: Deliveries
    secrets: tuple[bytes, ...] = field(repr=False)
    metrics: Metrics
    clock: Clock = utc_now
    now_s: Callable[[], float] = time.time

    async def take(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Record a request, on disk when it returns; answers the challenge where Slack only verifies the address.

        One that comes again has the same bytes, and so the same id: it is recorded once. Raises Forged, Unreadable
        for a verified body that is no JSON where it should be, Transient when it cannot be recorded now.
        """
        timestamp, signature = headers.get("X-Slack-Request-Timestamp"), headers.get("X-Slack-Signature")
        require_slack_signature(body, timestamp, signature, self.secrets, self.now_s())
        challenge = challenge_of(body)
        if challenge is not None:
            return challenge
        guid = f"slack-{hashlib.sha256(body).hexdigest()[:40]}"
        is_new = await self.deliveries.record(guid, EVENT, body, self.clock())
        self.metrics.deliveries.labels("recorded" if is_new else "known").inc()
        return None
