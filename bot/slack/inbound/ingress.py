"""Takes in one request of Slack's: verified first, then recorded as it came; what it says is read later."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import Clock, utc_now
from bot.process.metrics import Metrics
from bot.slack.inbound.requests import challenge_of
from bot.slack.inbound.signature import require_slack_signature
from bot.store.deliveries import Deliveries

EVENT = "slack"
"""The kind of delivery all of Slack's requests are recorded as."""
BODY_LIMIT_BYTES = 1024 * 1024
"""Far above what Slack sends: a view and its state are 250 kB at most."""

Reply = Mapping[str, Any]
Answering = Callable[[bytes], Awaitable[Reply | None]]
"""The answer to a request that asks for one and is not to be recorded, else None. Never raises."""


async def nothing_at_once(body: bytes) -> Reply | None:
    """Records everything."""
    return None


@dataclass(frozen=True, slots=True)
class SlackIngress:
    """Where Slack's requests come in. Whoever settles them learns of a new one from the store's own changes."""

    deliveries: Deliveries
    secrets: tuple[bytes, ...] = field(repr=False)
    metrics: Metrics
    answer: Answering = nothing_at_once
    clock: Clock = utc_now
    now_s: Callable[[], float] = time.time

    async def take(self, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Verify a request that came over HTTP, and admit it; answers the challenge where Slack verifies the address.

        Raises Forged, Unreadable for a verified body that is no JSON where it should be, else as `admit`.
        """
        timestamp, signature = headers.get("X-Slack-Request-Timestamp"), headers.get("X-Slack-Signature")
        require_slack_signature(body, timestamp, signature, self.secrets, self.now_s())
        challenge = challenge_of(body)
        return await self.admit(body) if challenge is None else {"challenge": challenge}

    async def admit(self, body: bytes) -> Reply | None:
        """Answer what Slack waits for, else record it: on disk when it returns, and then there is nothing to answer.

        One that comes again has the same bytes, and so the same id: it is recorded once. Raises Transient when it
        cannot be recorded now.
        """
        reply = await self.answer(body)
        if reply is not None:
            self.metrics.deliveries.labels("answered").inc()
            return reply
        guid = f"slack-{hashlib.sha256(body).hexdigest()[:40]}"
        is_new = await self.deliveries.record(guid, EVENT, body, self.clock())
        self.metrics.deliveries.labels("recorded" if is_new else "known").inc()
        return None
