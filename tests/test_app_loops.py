"""A loop of the server that cannot go on is begun again, and only a bug of ours raises an alarm."""

from __future__ import annotations

import logging

import pytest

from bot import app
from bot.errors import Transient


@pytest.mark.parametrize(
    ("error", "level"),
    [(Transient("store_full"), logging.WARNING), (ZeroDivisionError(), logging.ERROR)],
    ids=["passes", "bug"],
)
async def test_a_loop_that_ends_badly_is_begun_again(
    error: Exception, level: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "AGAIN_S", 0.0)
    ends = iter((error, error))
    begun = 0

    async def run() -> None:
        nonlocal begun
        begun += 1
        for end in ends:
            raise end

    await app.kept("worker", run)
    assert begun == 3
    assert {record.levelno for record in caplog.records} == {level}
