"""GitHub logins found for the addresses in commits, so that GitHub is asked about each one seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from storage.engine.database import Database
from storage.rows import to_us

AT_ONCE = 500
"""Addresses in one statement: SQLite bounds its variables."""


class SqlCommitLogins:
    """`bot.store.analyses.CommitLogins` over the database. Addresses are compared without case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, emails: Sequence[str], since: datetime) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for start in range(0, len(emails), AT_ONCE):
            batch = [email.lower() for email in emails[start : start + AT_ONCE]]
            found |= await self._database.read(partial(_known, batch=batch, since=since))
        return found

    async def put(self, logins: Mapping[str, str | None], now: datetime) -> None:
        sql = (
            "INSERT INTO commit_logins (email, login, asked_us) VALUES (?, ?, ?)"
            " ON CONFLICT (email) DO UPDATE SET login = excluded.login, asked_us = excluded.asked_us"
        )
        rows = [(email.lower(), login, to_us(now)) for email, login in logins.items()]
        await self._database.write(lambda c: c.executemany(sql, rows).rowcount)


def _known(connection: sqlite3.Connection, batch: Sequence[str], since: datetime) -> dict[str, str | None]:
    sql = f"SELECT * FROM commit_logins WHERE asked_us >= ? AND email IN ({', '.join('?' * len(batch))})"
    return {row["email"]: row["login"] for row in connection.execute(sql, (to_us(since), *batch))}
