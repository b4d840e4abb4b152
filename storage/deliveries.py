"""Webhooks as they were received: recorded once and many at a time, claimed in order, settled once."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import lz4.block

from bot.model import Delivery
from bot.store.changes import HeadMove, Settled, Settlement
from bot.store.deliveries import DeliveryRow
from storage import settling
from storage.engine.database import Database
from storage.guids import Guid, packed, unpacked
from storage.rows import from_us, seconds_later, to_us

ROWS_A_STATEMENT = 128
PRUNED_AT_ONCE = 500
Received = tuple[Guid, str, int, bytes]
"""guid as kept, event, microseconds since 1970, body."""


class SqlDeliveries:
    """`bot.store.deliveries.Deliveries` over the database."""

    def __init__(self, database: Database, max_waiting: int) -> None:
        self._database = database
        self._max_waiting = max_waiting

    async def record(self, guid: str, event: str, body: bytes, received_at: datetime) -> bool:
        return await self._database.write_folded(_record, (packed(guid), event, to_us(received_at), body))

    async def claim(self, worker: str, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        if not await self._database.glance(lambda c: _any_due(c, now)):
            return []
        return await self._database.write(lambda c: _claim(c, worker, now, lease_s, limit))

    async def settle(self, seq: int, settlement: Settlement, now: datetime) -> Settled:
        return await self._database.write(lambda c: settling.settle(c, seq, settlement, now, self._max_waiting))

    async def retry_at(self, seq: int, at: datetime, reason: str) -> None:
        sql = "UPDATE deliveries SET due_us = ?, reason = ?, claimed_by = NULL WHERE seq = ? AND outcome IS NULL"
        await self._database.write(lambda c: c.execute(sql, (to_us(at), reason, seq)).rowcount)

    async def acted_on(self, semantic_key: str) -> bool:
        sql = "SELECT 1 FROM acts WHERE semantic_key = ?"
        return await self._database.read(lambda c: c.execute(sql, (semantic_key,)).fetchone()) is not None

    async def recent(self, limit: int, before_seq: int | None = None) -> list[DeliveryRow]:
        sql = (
            "SELECT seq, guid, event, received_us, outcome, reason, attempts FROM deliveries"
            " WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        )
        before = 2**63 - 1 if before_seq is None else before_seq
        rows = await self._database.read(lambda c: c.execute(sql, (before, limit)).fetchall())
        return [_listed(row) for row in rows]

    async def find(self, guid: str) -> Delivery | None:
        sql = "SELECT * FROM deliveries WHERE guid = ?"
        row = await self._database.read(lambda c: c.execute(sql, (packed(guid),)).fetchone())
        return None if row is None else _delivery(row)

    async def replay(self, guid: str, now: datetime) -> bool:
        return await self._database.write(lambda c: settling.reopen(c, packed(guid), now))

    async def unknown(self, guids: Sequence[str]) -> list[str]:
        sql = "SELECT 1 FROM deliveries WHERE guid = ?"
        return await self._database.read(
            lambda c: [guid for guid in guids if c.execute(sql, (packed(guid),)).fetchone() is None]
        )

    async def latest_head(self, repository_id: int, number: int) -> HeadMove | None:
        sql = "SELECT * FROM heads WHERE repository_id = ? AND number = ?"
        row = await self._database.read(lambda c: c.execute(sql, (repository_id, number)).fetchone())
        if row is None:
            return None
        return HeadMove(repository_id, number, row["sha"], from_us(row["received_us"]), row["received_seq"])

    async def prune(self, before: datetime) -> int:
        total = 0
        while True:
            count = await self._database.write(lambda c: _prune(c, before))
            total += count
            if count < PRUNED_AT_ONCE:
                return total


def _record(connection: sqlite3.Connection, received: list[Received]) -> list[bool]:
    """Insert all with as few statements as can be; answers for each whether it was new."""
    rows = [(guid, event, at_us, lz4.block.compress(body)) for guid, event, at_us, body in received]
    news: list[bool] = []
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        news += _insert(connection, rows[start : start + ROWS_A_STATEMENT])
    return news


def _insert(connection: sqlite3.Connection, rows: list[Received]) -> list[bool]:
    """One statement for all; it fails as a whole when one is known, and then each is asked for alone."""
    try:
        connection.execute(_insert_sql(len(rows)), [value for row in rows for value in row])
    except sqlite3.IntegrityError:
        one = _insert_sql(1) + " ON CONFLICT (guid) DO NOTHING"
        return [connection.execute(one, row).rowcount == 1 for row in rows]
    return [True] * len(rows)


@functools.cache
def _insert_sql(count: int) -> str:
    return "INSERT INTO deliveries (guid, event, received_us, body) VALUES " + ", ".join(["(?, ?, ?, ?)"] * count)


def _any_due(connection: sqlite3.Connection, now: datetime) -> bool:
    sql = "SELECT 1 FROM deliveries WHERE outcome IS NULL AND due_us <= ? LIMIT 1"
    return connection.execute(sql, (to_us(now),)).fetchone() is not None


def _claim(connection: sqlite3.Connection, worker: str, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
    rows = connection.execute(
        "UPDATE deliveries SET attempts = attempts + 1, claimed_by = ?, due_us = ? WHERE seq IN"
        " (SELECT seq FROM deliveries WHERE outcome IS NULL AND due_us <= ? ORDER BY seq LIMIT ?) RETURNING *",
        (worker, seconds_later(now, lease_s), to_us(now), limit),
    ).fetchall()
    return sorted((_delivery(row) for row in rows), key=lambda delivery: delivery.seq)


def _prune(connection: sqlite3.Connection, before: datetime) -> int:
    return connection.execute(
        "UPDATE deliveries SET body = NULL WHERE seq IN (SELECT seq FROM deliveries"
        " WHERE received_us < ? AND outcome IS NOT NULL AND body IS NOT NULL LIMIT ?)",
        (to_us(before), PRUNED_AT_ONCE),
    ).rowcount


def _delivery(row: sqlite3.Row) -> Delivery:
    body = b"" if row["body"] is None else lz4.block.decompress(row["body"])
    return Delivery(row["seq"], unpacked(row["guid"]), row["event"], from_us(row["received_us"]), body, row["attempts"])


def _listed(row: sqlite3.Row) -> DeliveryRow:
    return DeliveryRow(
        row["seq"],
        unpacked(row["guid"]),
        row["event"],
        from_us(row["received_us"]),
        row["outcome"],
        row["reason"],
        row["attempts"],
    )
