"""Replies are said once each, whoever dies or however busy the store is between the saying and the noting."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta

import pytest

from bot.reporters import answers
from tests.world import World, new_world

LONGER_THAN_THE_STORE_WAITS_TWICE_S = 1.2


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(answers, "TAKEN_FOR", timedelta(seconds=0.2))
    async with new_world() as made:
        yield made


async def test_an_answer_that_was_said_before_the_server_died_is_not_said_again(world: World) -> None:
    pull = await world.open_pull("two")
    world.life.fatal_call = "sent"
    said = await world.comment(pull.number, "/whoami")
    assert await world.restart_when_it_dies()
    await world.settle()
    assert len(world.answers(pull.number)) == 1
    assert world.reactions(said) == []


async def test_answers_go_on_when_the_store_was_busy_while_one_was_said(world: World) -> None:
    pull = await world.open_pull("two")
    world.github.faults.add("delay", method="POST", path="/comments$", seconds=0.3)
    await world.comment(pull.number, "/whoami")
    await world.until(lambda: any(one.method == "POST" and "/comments" in one.path for one in world.github.requests))
    with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(LONGER_THAN_THE_STORE_WAITS_TWICE_S)
        other.execute("ROLLBACK")
    await world.settle()
    assert len(world.answers(pull.number)) == 1
    await world.stop()
