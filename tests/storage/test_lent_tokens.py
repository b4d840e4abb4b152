"""Tokens that people lent an analysis go when no analysis needs them."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from bot.jobs.analysis.plan import TOKENS, AnalysisPlan, Target
from bot.jobs.analysis.submit import analysis_request
from bot.model import Job, Origin
from bot.reconcile import lent_tokens
from bot.reconcile.lent_tokens import SPARED, LentTokens
from bot.store.store import Store
from tests.storage.sample import NOW

PLAN = AnalysisPlan((Target("zoe/one"),))
LATER = NOW + SPARED


async def lent(store: Store, name: str) -> Job:
    """An analysis that waits, with a token of that name."""
    await store.secrets.put(TOKENS, name, f"the token {name}", NOW)
    plan = dataclasses.replace(PLAN, token_name=name)
    return await store.jobs.create(analysis_request(plan, Origin("api", "tests", 0)), NOW)


async def look(store: Store, now: datetime = LATER) -> list[str]:
    """The names that are left after a look."""
    await LentTokens(store.secrets, store.jobs, lambda: now).look()
    return await store.secrets.names(TOKENS)


async def test_the_token_of_an_analysis_that_never_came_to_be_is_removed(store: Store) -> None:
    await store.secrets.put(TOKENS, "lost", "a token", NOW)
    assert await look(store, NOW) == ["lost"]
    assert await look(store) == []


async def test_the_token_of_one_that_was_cancelled_before_its_turn_is_removed(store: Store) -> None:
    job = await lent(store, "cancelled")
    await lent(store, "waits")
    await store.jobs.ask_cancel(job.id, "zoe", NOW)
    assert await look(store) == ["waits"]


async def test_however_many_wait_each_keeps_its_token(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lent_tokens, "PAGE", 2)
    names = [f"waits {number}" for number in range(5)]
    for name in names:
        await lent(store, name)
    assert await look(store) == names


async def test_other_secrets_are_left_alone(store: Store) -> None:
    await store.secrets.put("acme/api", "KEY", "value", NOW)
    await look(store)
    assert await store.secrets.names("acme/api") == ["KEY"]
