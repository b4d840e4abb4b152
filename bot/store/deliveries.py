"""Webhooks and other requests, recorded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Delivery
from bot.store.changes import HeadMove, Settled, Settlement


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as `shipmate deliveries` lists it."""

    seq: int
    guid: str
    event: str
    received_at: datetime
    outcome: str | None
    reason: str | None
    attempts: int


class Deliveries(Protocol):
    """Webhooks, recorded once."""

    async def record(self, guid: str, event: str, body: bytes, received_at: datetime) -> bool:
        """On disk when it returns. False when this guid was recorded before. Raises Transient when it cannot."""

    async def claim(self, worker: str, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        """Lease the oldest unsettled deliveries that are due, in order of receipt."""

    async def settle(self, seq: int, settlement: Settlement, now: datetime) -> Settled:
        """Write all of it, or nothing when the delivery is settled already or its semantic key was acted on before
        (outcome `duplicate`). Raises Refused("queue_full", limit=…), then nothing was written."""

    async def retry_at(self, seq: int, at: datetime, reason: str) -> None:
        """End the lease; due again at `at`."""

    async def acted_on(self, semantic_key: str) -> bool: ...

    async def recent(self, limit: int, before_seq: int | None = None) -> list[DeliveryRow]: ...

    async def find(self, guid: str) -> Delivery | None: ...

    async def replay(self, guid: str, now: datetime) -> bool:
        """Make a settled delivery due again, forgetting its semantic key and answers. False when it is not kept."""

    async def unknown(self, guids: Sequence[str]) -> list[str]:
        """Those of the guids that were never recorded here."""

    async def latest_head(self, repository_id: int, number: int) -> HeadMove | None: ...

    async def prune(self, before: datetime) -> int:
        """Forget the bodies of settled deliveries received before; their ids stay known. Answers how many."""
