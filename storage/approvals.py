"""Approvals of jobs and trust in forks' commits, as they are looked up."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.approvals import Approval, Trust
from storage.engine.database import Database
from storage.rows import from_us, to_us


class SqlApprovals:
    """`bot.store.jobs.Approvals` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def given(self, job_id: str) -> list[Approval]:
        sql = "SELECT * FROM approvals WHERE job = ? ORDER BY at_us, actor_id"
        rows = await self._database.read(lambda c: c.execute(sql, (job_id,)).fetchall())
        return [
            Approval(row["job"], row["sha"], row["actor"], row["actor_id"], row["face"], from_us(row["at_us"]))
            for row in rows
        ]

    async def trusted_pull(self, repository_id: int, sha: str) -> int | None:
        sql = "SELECT number FROM trusted WHERE repository_id = ? AND sha = ? ORDER BY at_us DESC LIMIT 1"
        row = await self._database.read(lambda c: c.execute(sql, (repository_id, sha)).fetchone())
        return None if row is None else int(row["number"])


def trust(connection: sqlite3.Connection, given: Trust, now: datetime) -> None:
    """Keep who trusted a commit last, and of which pull request. Repeatable."""
    connection.execute(
        "INSERT INTO trusted (repository_id, number, sha, actor_id, actor, at_us) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (repository_id, sha) DO UPDATE SET number = excluded.number, actor_id = excluded.actor_id,"
        " actor = excluded.actor, at_us = excluded.at_us",
        (given.repository_id, given.number, given.sha, given.actor_id, given.actor, to_us(now)),
    )
