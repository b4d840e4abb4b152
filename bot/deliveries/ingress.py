"""Takes in one webhook: verified first, then its headers read, then recorded; nothing of its body is parsed here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.clock import Clock, utc_now
from bot.errors import Unreadable
from bot.github.hooks.signature import require_signature
from bot.process.metrics import Metrics
from bot.store.deliveries import Deliveries

BODY_LIMIT_BYTES = 25 * 1024 * 1024
"""GitHub sends no larger payload: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap."""
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Ingress:
    """Where webhooks come in. Whoever settles them learns of a new one from the store's own changes."""

    deliveries: Deliveries
    secrets: tuple[bytes, ...] = field(repr=False)
    metrics: Metrics
    clock: Clock = utc_now

    async def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Record a delivery; on disk when it returns. False when it was recorded before.

        Raises Forged, Unreadable when signed but without sane headers, Transient when it cannot be recorded now.
        """
        require_signature(body, headers.get("X-Hub-Signature-256"), self.secrets)
        guid = _header(headers, "X-GitHub-Delivery", _DELIVERY_ID)
        event = _header(headers, "X-GitHub-Event", _EVENT)
        return await self.deliveries.record(guid, event, body, self.clock())


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not form.fullmatch(value):
        raise Unreadable("bad_header", name=name)
    return value
