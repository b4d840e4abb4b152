"""Takes recorded deliveries in their order; each is read once, decided on and settled, or tried again later."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.clock import Clock
from bot.errors import Transient, Unreadable
from bot.github.webhooks import Ignored, WebhookEvent, parse
from bot.model import Delivery
from bot.store import Deliveries, Settled, Settlement
from bot.wishes import Nothing, Wish

LEASE_S = 120.0
BATCH = 64
TRIES = 6
IDLE_S = 1.0

log = logging.getLogger("shipmate.intake")

Handler = Callable[[Any], Sequence[Wish]]
"""Reads one typed event; facts in, wishes out, no I/O."""


class Decides(Protocol):
    """Says what becomes of wishes; it may ask GitHub. Raises Transient when GitHub cannot be asked."""

    async def decide(self, wishes: Sequence[Wish], delivery: Delivery) -> Settlement: ...

    async def give_up(self, wishes: Sequence[Wish], delivery: Delivery, error: Transient) -> Settlement:
        """What the person is told when it could not be decided in time."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A delivery, understood. `chain` keeps deliveries of one repository in order."""

    wishes: tuple[Wish, ...]
    semantic_key: str | None
    chain: str


class Intake:
    """Settles deliveries; those of one repository one after another, those of different ones side by side."""

    def __init__(
        self,
        name: str,
        deliveries: Deliveries,
        handlers: Mapping[type, Handler],
        desk: Decides,
        *,
        clock: Clock,
        changed: Callable[[float], Awaitable[None]],
        acted: Callable[[Settled], None] = lambda settled: None,
    ) -> None:
        self._name = name
        self._deliveries = deliveries
        self._handlers = handlers
        self._desk = desk
        self._clock = clock
        self._changed = changed
        self._acted = acted
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; what was begun is finished first, and what was not begun is still on disk."""
        try:
            while not self._stopping.is_set():
                if not await self.take():
                    await self._changed(IDLE_S)
        finally:
            await asyncio.gather(*self._tails.values(), return_exceptions=True)

    def stop(self) -> None:
        """Take no more deliveries."""
        self._stopping.set()

    async def take(self) -> int:
        """Begin with the deliveries that are due; answers how many."""
        try:
            batch = await self._deliveries.claim(self._name, self._clock(), LEASE_S, BATCH)
        except Transient as busy:
            log.warning("the store could not be asked for deliveries", extra={"code": busy.code})
            return 0
        for delivery in batch:
            self._chain(delivery)
        return len(batch)

    async def settled(self) -> None:
        """Wait until all that was begun is settled."""
        while self._tails:
            await asyncio.gather(*self._tails.values(), return_exceptions=True)

    def _chain(self, delivery: Delivery) -> None:
        try:
            read = self._read(delivery)
        except Unreadable as unreadable:
            log.warning("an unreadable delivery", extra={"delivery": delivery.guid, "code": unreadable.code})
            read = _Read((Nothing(unreadable.code),), None, "")
        before = self._tails.get(read.chain)
        task = asyncio.create_task(self._after(before, delivery, read), name=f"delivery {delivery.guid}")
        self._tails[read.chain] = task
        task.add_done_callback(lambda done: self._tails.pop(read.chain) if self._tails[read.chain] is done else None)

    def _read(self, delivery: Delivery) -> _Read:
        event: WebhookEvent | Ignored = parse(delivery.event, delivery.body)
        if isinstance(event, Ignored):
            return _Read((Nothing(event.reason_code),), None, "")
        handler = self._handlers.get(type(event))
        wishes = tuple(handler(event)) if handler else (Nothing("not_acted_on"),)
        repository = getattr(event, "repository", None)
        return _Read(wishes, event.semantic_key, str(repository.id) if repository else "")

    async def _after(self, before: asyncio.Task[None] | None, delivery: Delivery, read: _Read) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await self._settle(delivery, read)
        except Exception:
            log.exception("a delivery could not be settled; it will be tried again", extra={"delivery": delivery.guid})
            await self._again(delivery, 2.0 ** min(delivery.attempts, 8), "unexpected_error")

    async def _settle(self, delivery: Delivery, read: _Read) -> None:
        if read.semantic_key and await self._deliveries.acted_on(read.semantic_key):
            settlement = Settlement("ignored", "duplicate")
        else:
            try:
                settlement = await self._desk.decide(read.wishes, delivery)
            except Transient as passing:
                if delivery.attempts < TRIES:
                    wait_s = passing.retry_after_s or 2.0 ** min(delivery.attempts, 8)
                    return await self._again(delivery, wait_s, passing.code)
                settlement = await self._desk.give_up(read.wishes, delivery, passing)
        keyed = _with_key(settlement, read.semantic_key)
        self._acted(await self._deliveries.settle(delivery.seq, keyed, self._clock()))
        log.info(
            "delivery settled",
            extra={
                "delivery": delivery.guid,
                "event": delivery.event,
                "outcome": keyed.outcome,
                "reason": keyed.reason,
            },
        )
        return None

    async def _again(self, delivery: Delivery, wait_s: float, reason: str) -> None:
        try:
            await self._deliveries.retry_at(delivery.seq, self._clock() + timedelta(seconds=wait_s), reason)
        except Transient as busy:
            log.warning("the store is busy; the delivery's lease will lapse", extra={"code": busy.code})


def _with_key(settlement: Settlement, semantic_key: str | None) -> Settlement:
    """Only what acted or was refused uses the key up: an ignored one may be said again elsewhere."""
    if settlement.outcome not in {"acted", "refused"}:
        return settlement
    return dataclasses.replace(settlement, semantic_key=semantic_key)
