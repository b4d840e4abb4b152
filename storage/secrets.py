"""Named secrets of a repository, sealed before they reach a statement."""

from __future__ import annotations

import asyncio
from datetime import datetime

from storage.engine.database import Database
from storage.rows import to_us
from storage.sealing import Sealer


class SqlSecrets:
    """`bot.store.keys.Secrets` over the database. Repository names are compared as GitHub does, without case."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put(self, repository: str, name: str, value: str, now: datetime) -> None:
        repository = repository.lower()
        sealed = await asyncio.to_thread(self._sealer.seal, value, _place(repository, name))
        sql = (
            "INSERT INTO secrets (repository, name, sealed, updated_us) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (repository, name) DO UPDATE SET sealed = excluded.sealed, updated_us = excluded.updated_us"
        )
        await self._database.write(lambda c: c.execute(sql, (repository, name, sealed, to_us(now))).rowcount)

    async def get(self, repository: str, name: str) -> str | None:
        repository = repository.lower()
        sql = "SELECT sealed FROM secrets WHERE repository = ? AND name = ?"
        row = await self._database.read(lambda c: c.execute(sql, (repository, name)).fetchone())
        if row is None:
            return None
        return await asyncio.to_thread(self._sealer.open, row["sealed"], _place(repository, name))

    async def names(self, repository: str) -> list[str]:
        sql = "SELECT name FROM secrets WHERE repository = ? ORDER BY name"
        rows = await self._database.read(lambda c: c.execute(sql, (repository.lower(),)).fetchall())
        return [row["name"] for row in rows]

    async def put_before(self, repository: str, moment: datetime) -> list[str]:
        sql = "SELECT name FROM secrets WHERE repository = ? AND updated_us <= ? ORDER BY name"
        rows = await self._database.read(lambda c: c.execute(sql, (repository.lower(), to_us(moment))).fetchall())
        return [row["name"] for row in rows]

    async def remove(self, repository: str, name: str) -> bool:
        sql = "DELETE FROM secrets WHERE repository = ? AND name = ?"
        return await self._database.write(lambda c: c.execute(sql, (repository.lower(), name)).rowcount) == 1


def _place(repository: str, name: str) -> str:
    return f"{repository}\0{name}"
