"""Takes recorded deliveries in their order; each is read once, decided on and settled, or tried again later."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.audit import masked
from bot.clock import Clock
from bot.deliveries.wishes import Nothing, Wish
from bot.errors import Refused, ShipmateError, Transient, Unreadable
from bot.github.hooks.events import CheckRunAsked, CheckSuiteAsked
from bot.github.hooks.webhooks import Ignored, WebhookEvent, parse
from bot.model import Delivery
from bot.store.changes import Settled, Settlement
from bot.store.deliveries import Deliveries

LEASE_S = 120.0
BATCH = 64
TRIES = 6
"""How often a delivery is decided on that cannot be, for GitHub does not answer or for a bug of ours."""
IDLE_S = 1.0
OUR_BUG = "unexpected_error"

log = logging.getLogger("shipmate.intake")

Handler = Callable[[Any], Sequence[Wish]]
"""Reads one typed event; facts in, wishes out, no I/O."""


class Decides(Protocol):
    """Says what becomes of wishes; it may ask GitHub. Raises Transient when GitHub cannot be asked."""

    async def decide(self, wishes: Sequence[Wish], delivery: Delivery) -> Settlement: ...

    async def give_up(self, wishes: Sequence[Wish], delivery: Delivery, error: ShipmateError) -> Settlement:
        """What the person is told when it could not be decided in time, or there is no room for what was decided."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A delivery, understood: what to ask for its settlement, now and when that could not be had in time.

    `chain` keeps deliveries of one repository in order. What acts uses up `semantic_key`, where there is one; so does
    what is refused, unless it `may_be_repeated`, as a click may that left all as it was.
    """

    semantic_key: str | None
    chain: str
    decide: Callable[[], Awaitable[Settlement]]
    give_up: Callable[[ShipmateError], Awaitable[Settlement]]
    may_be_repeated: bool = False


Reader = Callable[[Delivery], Reading]
"""Understands one kind of delivery that is not GitHub's. Raises Unreadable."""


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
        mask: Callable[[Any], Any] = lambda value: value,
        others: Mapping[str, Reader] | None = None,
    ) -> None:
        """`others` read the deliveries whose event they are named by; all else is GitHub's.

        `mask` takes what is secret out of what people said before it is kept for good.
        """
        self._name = name
        self._deliveries = deliveries
        self._handlers = handlers
        self._desk = desk
        self._clock = clock
        self._changed = changed
        self._acted = acted
        self._mask = mask
        self._others = others or {}
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._broke: Counter[str] = Counter()
        """How often a delivery, by its guid, met a bug of ours in this process."""
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
        read = self._understood(delivery)
        before = self._tails.get(read.chain)
        task = asyncio.create_task(self._after(before, delivery, read), name=f"delivery {delivery.guid}")
        self._tails[read.chain] = task
        task.add_done_callback(lambda done: self._tails.pop(read.chain) if self._tails[read.chain] is done else None)

    def _understood(self, delivery: Delivery) -> Reading:
        """One that breaks while it is read holds up no other: it goes the way of one that breaks in the deciding."""
        try:
            return self._read(delivery)
        except Unreadable as unreadable:
            log.warning("an unreadable delivery", extra={"delivery": delivery.guid, "code": unreadable.code})
            return self._github((Nothing(unreadable.code),), delivery)
        except Exception as error:  # noqa: BLE001  raised again where it is decided on, and told there
            return _broken(error, delivery)

    def _read(self, delivery: Delivery) -> Reading:
        if delivery.event in self._others:
            return self._others[delivery.event](delivery)
        event: WebhookEvent | Ignored = parse(delivery.event, delivery.body)
        if isinstance(event, Ignored):
            return self._github((Nothing(event.reason_code),), delivery)
        handler = self._handlers.get(type(event))
        wishes = tuple(handler(event)) if handler else (Nothing("not_acted_on"),)
        repository = getattr(event, "repository", None)
        read = self._github(wishes, delivery, event.semantic_key, str(repository.id) if repository else "")
        return dataclasses.replace(read, may_be_repeated=isinstance(event, CheckRunAsked | CheckSuiteAsked))

    def _github(
        self, wishes: Sequence[Wish], delivery: Delivery, semantic_key: str | None = None, chain: str = ""
    ) -> Reading:
        return Reading(
            semantic_key,
            chain,
            lambda: self._desk.decide(wishes, delivery),
            lambda passing: self._desk.give_up(wishes, delivery, passing),
        )

    async def _after(self, before: asyncio.Task[None] | None, delivery: Delivery, read: Reading) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await self._settle(delivery, read)
        except Transient as busy:
            log.warning("a delivery could not be settled now", extra={"delivery": delivery.guid, "code": busy.code})
            await self._again(delivery, busy.retry_after_s or 2.0 ** min(delivery.attempts, 8), busy.code)
        except Exception:
            self._broke[delivery.guid] += 1
            log.exception("a delivery could not be settled; it will be tried again", extra={"delivery": delivery.guid})
            await self._again(delivery, 2.0 ** min(delivery.attempts, 8), OUR_BUG)
        else:
            del self._broke[delivery.guid]

    async def _settle(self, delivery: Delivery, read: Reading) -> None:
        try:
            settlement = await self._decided(delivery, read)
        except Transient as passing:
            if delivery.attempts < TRIES:
                wait_s = passing.retry_after_s or 2.0 ** min(delivery.attempts, 8)
                return await self._again(delivery, wait_s, passing.code)
            settlement = await read.give_up(passing)
        keyed = self._as_kept(settlement, read)
        try:
            settled = await self._deliveries.settle(delivery.seq, keyed, self._clock())
        except Refused as refused:
            keyed = self._as_kept(await read.give_up(refused), read)
            settled = await self._deliveries.settle(delivery.seq, keyed, self._clock())
        self._acted(settled)
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

    async def _decided(self, delivery: Delivery, read: Reading) -> Settlement:
        """What becomes of it. After too many breaks who asked is told; where that breaks too, it is let go."""
        if read.semantic_key and await self._deliveries.acted_on(read.semantic_key):
            return Settlement("ignored", "duplicate")
        if self._broke[delivery.guid] < TRIES:
            return await read.decide()
        if self._broke[delivery.guid] == TRIES:
            return await read.give_up(Refused(OUR_BUG))
        return Settlement("failed", OUR_BUG)

    def _as_kept(self, settlement: Settlement, read: Reading) -> Settlement:
        """With its key, and nothing secret in the audit trail."""
        audit = tuple(masked(entry, self._mask) for entry in settlement.audit)
        return _with_key(dataclasses.replace(settlement, audit=audit), read)

    async def _again(self, delivery: Delivery, wait_s: float, reason: str) -> None:
        try:
            await self._deliveries.retry_at(delivery.seq, self._clock() + timedelta(seconds=wait_s), reason)
        except Transient as busy:
            log.warning("the store is busy; the delivery's lease will lapse", extra={"code": busy.code})


def _broken(error: Exception, delivery: Delivery) -> Reading:
    """What could not even be read, for a bug of ours: to decide on it is to meet that bug."""

    async def meet() -> Settlement:
        raise error

    async def let_go(_: ShipmateError) -> Settlement:
        return Settlement("failed", OUR_BUG)

    return Reading(None, f"broken {delivery.guid}", meet, let_go)


def _with_key(settlement: Settlement, read: Reading) -> Settlement:
    """Only what acted or was refused for good uses the key up: an ignored one may be said again elsewhere."""
    uses_it_up = {"acted"} if read.may_be_repeated else {"acted", "refused"}
    if settlement.outcome not in uses_it_up:
        return settlement
    return dataclasses.replace(settlement, semantic_key=read.semantic_key or settlement.semantic_key)
