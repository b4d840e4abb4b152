"""Keys for programs: shown once, kept as a hash.

A key is 256 random bits, so one SHA-256 is enough: there is nothing to guess, and a slow hash would only slow requests.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bot.store.keys import ApiKey
from storage.engine.database import Database
from storage.rows import from_us, from_us_or_none, to_us

PREFIX = "smk_"
ID_CHARS = 8
USE_NOTED_EACH_US = 60_000_000
"""The last use is written once a minute at most: a busy key costs no write for each request."""
NOBODY = hashlib.sha256(b"").digest()


class SqlApiKeys:
    """`bot.store.keys.ApiKeys` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, now: datetime, repositories: Sequence[str] = ()) -> tuple[ApiKey, str]:
        key_id = secrets.token_hex(ID_CHARS // 2)
        key = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
        limits = tuple(dict.fromkeys(map(str.lower, repositories)))
        sql = "INSERT INTO keys (id, name, hash, created_us, repositories) VALUES (?, ?, ?, ?, ?)"
        row = (key_id, name, _hash(key), to_us(now), " ".join(limits))
        await self._database.write(lambda c: c.execute(sql, row).rowcount)
        return ApiKey(key_id, name, from_us(to_us(now)), None, None, limits), key

    async def all(self) -> list[ApiKey]:
        rows = await self._database.read(lambda c: c.execute("SELECT * FROM keys ORDER BY created_us, id").fetchall())
        return [_api_key(row) for row in rows]

    async def revoke(self, key_id: str, now: datetime) -> bool:
        sql = "UPDATE keys SET revoked_us = ? WHERE id = ? AND revoked_us IS NULL"
        return await self._database.write(lambda c: c.execute(sql, (to_us(now), key_id)).rowcount) == 1

    async def verify(self, key: str, now: datetime) -> ApiKey | None:
        row = await self._database.read(lambda c: _live(c, _id_of(key))) if key.isascii() else None
        matches = hmac.compare_digest(NOBODY if row is None else row["hash"], _hash(key))
        if row is None or not matches:
            return None
        if (row["last_used_us"] or 0) + USE_NOTED_EACH_US <= to_us(now):
            sql = "UPDATE keys SET last_used_us = ? WHERE id = ?"
            await self._database.write(lambda c: c.execute(sql, (to_us(now), row["id"])).rowcount)
        return _api_key(row)


def _live(connection: sqlite3.Connection, key_id: str) -> sqlite3.Row | None:
    sql = "SELECT * FROM keys WHERE id = ? AND revoked_us IS NULL"
    row: sqlite3.Row | None = connection.execute(sql, (key_id,)).fetchone()
    return row


def _id_of(key: str) -> str:
    """The part that names the key, which is no secret."""
    return key.removeprefix(PREFIX)[:ID_CHARS]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).digest()


def _api_key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        row["id"],
        row["name"],
        from_us(row["created_us"]),
        from_us_or_none(row["last_used_us"]),
        from_us_or_none(row["revoked_us"]),
        tuple(row["repositories"].split()),
    )
