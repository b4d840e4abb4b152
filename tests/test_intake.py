"""One delivery that breaks, for a bug of ours, holds up no other, is tried a few times, and is let go in the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import utc_now
from bot.deliveries.intake import TRIES, Handler, Intake
from bot.deliveries.wishes import Nothing, Wish
from bot.errors import ShipmateError, Transient
from bot.github.hooks.events import Ping
from bot.model import Delivery
from bot.store.changes import Settlement
from bot.store.store import Store
from storage.deliveries import SqlDeliveries
from storage.opened import open_store
from tests.migrated import put_database


@dataclass
class Desk:
    """Decides on everything but what it stumbles over, and notes whom it told that it gave up."""

    stumbles: bool = False
    stumbles_when_it_gives_up: bool = False
    given_up: list[str] = field(default_factory=list)

    async def decide(self, wishes: Sequence[Wish], delivery: Delivery) -> Settlement:
        if self.stumbles:
            raise ZeroDivisionError
        return Settlement("acted", "decided")

    async def give_up(self, wishes: Sequence[Wish], delivery: Delivery, error: ShipmateError) -> Settlement:
        self.given_up.append(error.code)
        if self.stumbles_when_it_gives_up:
            raise ZeroDivisionError
        return Settlement("failed", error.code)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(put_database(tmp_path / "shipmate.db"))
    yield opened.store
    await opened.close()


class Later:
    """A clock that is an hour on whenever somebody waited, so that nothing is ever put off for long."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> Any:
        return self.now

    async def an_hour(self, timeout_s: float) -> None:
        self.now += timedelta(hours=1)
        await asyncio.sleep(0)


def an_intake(store: Store, desk: Desk, clock: Later, read: Handler = lambda event: [Nothing("a ping")]) -> Intake:
    return Intake("here:1:1", store.deliveries, {Ping: read}, desk, clock=clock, changed=clock.an_hour)


async def receive(store: Store, guid: str) -> None:
    body = {"hook_id": int(guid[-1]), "hook": {"events": []}}
    await store.deliveries.record(guid, "ping", json.dumps(body).encode(), utc_now())


async def tried(intake: Intake, clock: Later, times: int) -> None:
    for _ in range(times):
        await intake.take()
        await intake.settled()
        await clock.an_hour(0)


async def outcomes(store: Store) -> list[str]:
    return [f"{row.outcome} {row.reason}" for row in (await store.deliveries.recent(10))[::-1]]


async def test_a_delivery_that_cannot_be_read_for_a_bug_of_ours_holds_up_no_other(store: Store) -> None:
    def stumble_over_the_first(event: Ping) -> Sequence[Wish]:
        return [Nothing(f"a ping, {1 // (event.hook_id - 1)}")]

    await receive(store, "delivery-1")
    await receive(store, "delivery-2")
    clock = Later()
    intake = an_intake(store, Desk(), clock, stumble_over_the_first)
    await tried(intake, clock, 1)
    assert await outcomes(store) == ["None unexpected_error", "acted decided"]
    await tried(intake, clock, TRIES)
    assert await outcomes(store) == ["failed unexpected_error", "acted decided"]


async def test_a_delivery_that_always_breaks_is_given_up_and_who_asked_is_told(store: Store) -> None:
    await receive(store, "delivery-1")
    desk, clock = Desk(stumbles=True), Later()
    intake = an_intake(store, desk, clock)
    await tried(intake, clock, TRIES)
    assert (await outcomes(store), desk.given_up) == (["None unexpected_error"], [])
    await tried(intake, clock, 1)
    assert (await outcomes(store), desk.given_up) == (["failed unexpected_error"], ["unexpected_error"])


async def test_a_delivery_is_let_go_when_even_telling_of_it_breaks(store: Store) -> None:
    await receive(store, "delivery-1")
    desk, clock = Desk(stumbles=True, stumbles_when_it_gives_up=True), Later()
    await tried(an_intake(store, desk, clock), clock, TRIES + 2)
    assert (await outcomes(store), desk.given_up) == (["failed unexpected_error"], ["unexpected_error"])


async def test_a_store_that_cannot_be_written_to_is_no_bug_of_ours_however_long_it_lasts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> Any:
        raise Transient("store_full", retry_after_s=5.0)

    await receive(store, "delivery-1")
    desk, clock = Desk(), Later()
    intake = an_intake(store, desk, clock)
    with monkeypatch.context() as patch:
        patch.setattr(SqlDeliveries, "settle", full)
        await tried(intake, clock, TRIES + 3)
    await tried(intake, clock, 1)
    assert (await outcomes(store), desk.given_up) == (["acted decided"], [])


async def test_a_delivery_that_breaks_once_is_decided_on_the_next_time(store: Store) -> None:
    await receive(store, "delivery-1")
    desk, clock = Desk(stumbles=True), Later()
    intake = an_intake(store, desk, clock)
    await tried(intake, clock, 1)
    desk.stumbles = False
    await tried(intake, clock, 1)
    assert await outcomes(store) == ["acted decided"]
