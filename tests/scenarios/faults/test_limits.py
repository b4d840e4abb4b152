"""GitHub takes no requests for a while: a command waits for a short limit, and is told until when a long one lasts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bot.audit import AuditRecord
from bot.clock import utc_now
from bot.locks import TIME_FORM
from bot.sandbox.github.faults import Fault
from tests.patience import ENOUGH_S
from tests.world import REPO, World

SHORT_S = 3.0
"""Longer than a call waits in the fake world, and soon over."""
LONG_S = 1800.0


def limit(world: World, seconds: float, path: str = r"/permission$", count: int = 1) -> Fault:
    """GitHub refuses these questions; our client then asks nothing until it is over."""
    return world.github.faults.add("secondary_limit", method="GET", path=path, seconds=seconds, count=count)


async def refused(world: World, reason: str) -> AuditRecord:
    """What the trail was told of it, once it is."""
    async with asyncio.timeout(ENOUGH_S):
        while True:
            for record in await world.store.audit.newest(REPO, None, 1):
                if record.entry.reason == reason:
                    return record
            await asyncio.sleep(0.01)


async def test_a_command_waits_for_a_short_limit_and_is_then_obeyed(world: World) -> None:
    pull = await world.open_pull("two")
    limit(world, SHORT_S)
    said = await world.say(pull.number, "/deploy")
    assert await world.states() == ["COMPLETED"]
    assert world.reactions(said) == ["rocket"]
    assert len(world.answers(pull.number)) == 1


async def test_a_limit_that_comes_again_is_waited_for_again(world: World) -> None:
    pull = await world.open_pull("two")
    limit(world, SHORT_S, count=2)
    await world.say(pull.number, "/whoami")
    assert "alice" in world.answer(pull.number)


async def test_a_server_that_dies_while_it_waits_loses_no_command(world: World) -> None:
    pull = await world.open_pull("two")
    reached = limit(world, SHORT_S)
    said = await world.comment(pull.number, "/deploy")
    await world.until(lambda: reached.count == 0)
    await world.abandon()
    await world.start()
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert world.reactions(said) == ["rocket"]


async def test_of_a_long_limit_it_is_told_when_to_say_it_again(world: World) -> None:
    pull = await world.open_pull("two")
    limit(world, LONG_S)
    before = utc_now()
    await world.comment(pull.number, "/deploy")
    record = await refused(world, "github_limited")
    until = datetime.strptime(record.entry.rules["until"], TIME_FORM).replace(tzinfo=UTC)
    assert timedelta(seconds=LONG_S) <= until - before <= timedelta(seconds=LONG_S + 120)
    assert await world.jobs() == []


async def test_a_push_waits_however_long_for_nobody_says_it_again(world: World) -> None:
    limit(world, SHORT_S, path=r"/contents/.shipmate.yml")
    await world.push("two")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
