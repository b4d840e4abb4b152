"""Deliveries GitHub sent and we never recorded: it does not send them again by itself, so they are fetched."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import orjson

from bot.clock import Clock
from bot.errors import Permanent
from bot.github.app import HookDelivery, deliveries_since, get_delivery
from bot.github.client.client import Client
from bot.store.deliveries import Deliveries

LOOK_BACK = timedelta(days=3)
"""GitHub keeps deliveries for three days."""
OVERLAP = timedelta(minutes=10)
IN_FLIGHT = timedelta(seconds=15)
"""One younger than this may still be on its way."""

log = logging.getLogger("shipmate.reconcile")


class MissedDeliveries:
    """Looks since its last look; the first goes back as far as GitHub remembers."""

    def __init__(self, app: Client, deliveries: Deliveries, clock: Clock) -> None:
        self._app = app
        self._deliveries = deliveries
        self._clock = clock
        self._since: datetime | None = None

    async def look(self) -> int:
        """Record what was missed, oldest first; answers how many. What GitHub does not give holds up none after it."""
        now = self._clock()
        since = self._since or now - LOOK_BACK
        attempts: dict[str, HookDelivery] = {}
        async for attempt in deliveries_since(self._app, since):
            if now - attempt.delivered_at > IN_FLIGHT:
                attempts[attempt.guid] = attempt
        # GitHub lists the newest first, and tells whole seconds: within one the order of its list counts.
        missed = await self._deliveries.unknown(list(reversed(attempts)))
        for guid in sorted(missed, key=lambda guid: attempts[guid].delivered_at):
            await self._fetch(attempts[guid])
        self._since = now - OVERLAP
        return len(missed)

    async def _fetch(self, attempt: HookDelivery) -> None:
        """The payload comes from GitHub over the app's own key, so it needs no signature."""
        try:
            full = await get_delivery(self._app, attempt.id)
        except Permanent as refused:
            log.warning("a missed delivery is not to be had", extra={"delivery": attempt.guid, "code": refused.code})
            return
        body = orjson.dumps(full.payload)
        if await self._deliveries.record(attempt.guid, attempt.event, body, self._clock()):
            log.warning("fetched a delivery that was missed", extra={"delivery": attempt.guid, "event": attempt.event})
