"""Ways in that somebody lent us: what may be shown as JSON, what they come in with sealed to its id."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from bot.store.connections import AwsConnection, GitHubConnection
from storage.database import Database
from storage.rows import from_json, from_us, to_json, to_us
from storage.sealing import Sealer

GITHUB = "github"
AWS = "aws"


class SqlConnections:
    """`bot.store.connections.Connections` over the database."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put_github(self, connection: GitHubConnection, token: str) -> None:
        facts = {"owner": connection.owner, "repo": connection.repo, "branch": connection.branch}
        await self._put(connection.id, GITHUB, facts, token, connection.created_at)

    async def put_aws(self, connection: AwsConnection, credentials: Mapping[str, str]) -> None:
        facts = {"region": connection.region, "account_id": connection.account_id, "role_arn": connection.role_arn}
        await self._put(connection.id, AWS, facts, to_json(credentials), connection.created_at)

    async def github(self) -> list[GitHubConnection]:
        return [
            GitHubConnection(row["id"], **from_json(row["facts"]), created_at=from_us(row["created_us"]))
            for row in await self._all(GITHUB)
        ]

    async def aws(self) -> list[AwsConnection]:
        return [
            AwsConnection(row["id"], **from_json(row["facts"]), created_at=from_us(row["created_us"]))
            for row in await self._all(AWS)
        ]

    async def token_of(self, connection_id: str) -> str | None:
        return await self._opened(connection_id, GITHUB)

    async def credentials_of(self, connection_id: str) -> Mapping[str, str] | None:
        opened = await self._opened(connection_id, AWS)
        return None if opened is None else from_json(opened)

    async def remove(self, connection_id: str) -> bool:
        sql = "DELETE FROM connections WHERE id = ?"
        return await self._database.write(lambda c: c.execute(sql, (connection_id,)).rowcount) == 1

    async def _put(
        self, connection_id: str, kind: str, facts: Mapping[str, str | None], secret: str, now: datetime
    ) -> None:
        sealed = await asyncio.to_thread(self._sealer.seal, secret, _place(connection_id))
        sql = "INSERT INTO connections (id, kind, facts, sealed, created_us) VALUES (?, ?, ?, ?, ?)"
        row = (connection_id, kind, to_json(facts), sealed, to_us(now))
        await self._database.write(lambda c: c.execute(sql, row).rowcount)

    async def _all(self, kind: str) -> list[sqlite3.Row]:
        sql = "SELECT * FROM connections WHERE kind = ? ORDER BY created_us, id"
        return await self._database.read(lambda c: c.execute(sql, (kind,)).fetchall())

    async def _opened(self, connection_id: str, kind: str) -> str | None:
        sql = "SELECT sealed FROM connections WHERE id = ? AND kind = ?"
        row = await self._database.read(lambda c: c.execute(sql, (connection_id, kind)).fetchone())
        if row is None:
            return None
        return await asyncio.to_thread(self._sealer.open, row["sealed"], _place(connection_id))


def _place(connection_id: str) -> str:
    return f"connection\0{connection_id}"
