"""Ways in that somebody lent us: what may be shown as JSON, what they come in with sealed to its id."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.audit import AuditEntry
from bot.errors import Refused
from bot.store.connections import AwsConnection, GitHubConnection, LentTo
from storage import audit
from storage.engine.database import Database
from storage.rows import from_json, from_us, to_json, to_us
from storage.sealing import Sealer

GITHUB = "github"
AWS = "aws"


class SqlConnections:
    """`bot.store.connections.Connections` over the database; each change is told to the trail in its transaction."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put_github(self, connection: GitHubConnection, token: str, told: AuditEntry) -> None:
        facts = {"owner": connection.owner, "repo": connection.repo, "branch": connection.branch}
        await self._put(connection.id, GITHUB, None, facts, token, connection.created_at, told)

    async def put_aws(self, connection: AwsConnection, credentials: Mapping[str, str], told: AuditEntry) -> None:
        facts, secret = _facts(connection), to_json(credentials)
        await self._put(connection.id, AWS, connection.name, facts, secret, connection.created_at, told)

    async def replace_aws(
        self, connection: AwsConnection, credentials: Mapping[str, str], told: AuditEntry, now: datetime
    ) -> bool:
        sealed = await self._sealed(connection.id, to_json(credentials))
        sql = "UPDATE connections SET facts = ?, sealed = ?, version = version + 1 WHERE id = ?"
        row = (to_json(_facts(connection)), sealed, connection.id)
        return await self._told(lambda c: c.execute(sql, row).rowcount == 1, told, now)

    async def lend_aws(self, connection: AwsConnection, told: AuditEntry, now: datetime) -> bool:
        row = (to_json(_facts(connection)), connection.id)
        sql = "UPDATE connections SET facts = ? WHERE id = ?"
        return await self._told(lambda c: c.execute(sql, row).rowcount == 1, told, now)

    async def github(self) -> list[GitHubConnection]:
        return [_github(row) for row in await self._all(GITHUB)]

    async def aws(self) -> list[AwsConnection]:
        return [_aws(row) for row in await self._all(AWS)]

    async def one_github(self, connection_id: str) -> GitHubConnection | None:
        row = await self._one("SELECT * FROM connections WHERE kind = ? AND id = ?", GITHUB, connection_id)
        return None if row is None else _github(row)

    async def one_aws(self, reference: str) -> AwsConnection | None:
        sql = "SELECT * FROM connections WHERE kind = ? AND (id = ? OR name = ?)"
        row = await self._one(sql, AWS, reference, reference)
        return None if row is None else _aws(row)

    async def token_of(self, connection_id: str) -> str | None:
        return await self._opened(connection_id, GITHUB)

    async def credentials_of(self, connection_id: str) -> Mapping[str, str] | None:
        opened = await self._opened(connection_id, AWS)
        return None if opened is None else from_json(opened)

    async def version_of(self, connection_id: str) -> int | None:
        row = await self._one("SELECT version FROM connections WHERE id = ?", connection_id)
        return None if row is None else int(row["version"])

    async def remove(self, connection_id: str, told: AuditEntry, now: datetime) -> bool:
        sql = "DELETE FROM connections WHERE id = ?"
        return await self._told(lambda c: c.execute(sql, (connection_id,)).rowcount == 1, told, now)

    async def _put(
        self,
        connection_id: str,
        kind: str,
        name: str | None,
        facts: Mapping[str, Any],
        secret: str,
        now: datetime,
        told: AuditEntry,
    ) -> None:
        """Raises Refused("connection_name_taken")."""
        sealed = await self._sealed(connection_id, secret)
        sql = (
            "INSERT INTO connections (id, kind, name, facts, sealed, created_us) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING"
        )
        row = (connection_id, kind, name, to_json(facts), sealed, to_us(now))
        if not await self._told(lambda c: c.execute(sql, row).rowcount == 1, told, now):
            raise Refused("connection_name_taken", name=name)

    async def _told(self, change: Callable[[sqlite3.Connection], bool], told: AuditEntry, now: datetime) -> bool:
        """Whether it changed anything; only then is the trail told."""

        def write(connection: sqlite3.Connection) -> bool:
            changed = change(connection)
            if changed:
                audit.append(connection, told, now)
            return changed

        return await self._database.write(write)

    async def _all(self, kind: str) -> list[sqlite3.Row]:
        sql = "SELECT * FROM connections WHERE kind = ? ORDER BY created_us, id"
        return await self._database.read(lambda c: c.execute(sql, (kind,)).fetchall())

    async def _one(self, sql: str, *values: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = await self._database.read(lambda c: c.execute(sql, values).fetchone())
        return row

    async def _sealed(self, connection_id: str, secret: str) -> bytes:
        return await asyncio.to_thread(self._sealer.seal, secret, _place(connection_id))

    async def _opened(self, connection_id: str, kind: str) -> str | None:
        row = await self._one("SELECT sealed FROM connections WHERE id = ? AND kind = ?", connection_id, kind)
        if row is None:
            return None
        return await asyncio.to_thread(self._sealer.open, row["sealed"], _place(connection_id))


def _facts(connection: AwsConnection) -> dict[str, Any]:
    return {
        "region": connection.region,
        "account_id": connection.account_id,
        "role_arn": connection.role_arn,
        "lent_to": [[one.name, one.number] for one in connection.lent_to],
    }


def _github(row: sqlite3.Row) -> GitHubConnection:
    return GitHubConnection(row["id"], **from_json(row["facts"]), created_at=from_us(row["created_us"]))


def _aws(row: sqlite3.Row) -> AwsConnection:
    facts = from_json(row["facts"])
    lent_to = tuple(LentTo(name, number) for name, number in facts.pop("lent_to", ()))
    return AwsConnection(row["id"], **facts, created_at=from_us(row["created_us"]), name=row["name"], lent_to=lent_to)


def _place(connection_id: str) -> str:
    return f"connection\0{connection_id}"
