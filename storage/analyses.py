"""Reports of contribution analyses: packed, one for each repository of a job, the newest found by ref or commit."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from bot.store.analyses import StoredAnalysis
from storage.engine.database import Database
from storage.jobs import repositories
from storage.rows import from_us, to_us

PACKING = 6
"""zlib's level: a report of a large repository shrinks to a tenth."""
ABOUT = "(repository_id > 0 AND repository_id = ? OR repository_id = 0 AND repository = ?)"
"""By its number, or where it was cloned without one by its name in lower case."""


class SqlAnalyses:
    """`bot.store.analyses.Analyses` over the database. Repository names are compared as GitHub does, without case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, analysis: StoredAnalysis) -> None:
        packed = await asyncio.to_thread(_packed, analysis.body)
        await self._database.write(lambda c: _put(c, analysis, packed))

    async def of_job(self, job_id: str) -> list[StoredAnalysis]:
        sql = "SELECT * FROM analyses WHERE job_id = ? ORDER BY number"
        rows = await self._database.read(lambda c: c.execute(sql, (job_id,)).fetchall())
        return [await _unpacked(row) for row in rows]

    async def newest(self, repository: str, ref: str | None = None) -> StoredAnalysis | None:
        row = await self._database.read(lambda c: _newest(c, repository.lower(), ref))
        return None if row is None else await _unpacked(row)


def _packed(body: Mapping[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(body), PACKING)


async def _unpacked(row: sqlite3.Row) -> StoredAnalysis:
    body = await asyncio.to_thread(lambda: orjson.loads(zlib.decompress(row["body"])))
    return StoredAnalysis(
        job_id=row["job_id"],
        repository=row["repository"],
        ref=row["ref"],
        sha=row["sha"],
        made_at=from_us(row["made_us"]),
        body=body,
        is_default=bool(row["is_default"]),
        is_passing=bool(row["is_passing"]),
        repository_id=row["repository_id"],
    )


def _put(connection: sqlite3.Connection, analysis: StoredAnalysis, packed: bytes) -> None:
    repository = analysis.repository.lower()
    if analysis.is_passing:
        connection.execute(
            f"DELETE FROM analyses WHERE {ABOUT} AND ref = ? AND is_passing = 1",
            (analysis.repository_id, repository, analysis.ref),
        )
    connection.execute(
        "INSERT INTO analyses (job_id, repository, ref, sha, is_default, is_passing, made_us, body, repository_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, repository) DO UPDATE SET ref = excluded.ref,"
        " sha = excluded.sha, made_us = excluded.made_us, body = excluded.body",
        (
            analysis.job_id,
            repository,
            analysis.ref,
            analysis.sha,
            analysis.is_default,
            analysis.is_passing,
            to_us(analysis.made_at),
            packed,
            analysis.repository_id,
        ),
    )


def _newest(connection: sqlite3.Connection, name: str, ref: str | None) -> sqlite3.Row | None:
    """By the ref as it was asked for, else by the commit; without a ref that of the default branch."""
    known = repositories.called(connection, name)
    about = (known.id if known else 0, known.full_name.lower() if known else name)
    conditions = (("is_default = ?", 1),) if ref is None else (("ref = ?", ref), ("sha = ?", ref))
    for condition, value in conditions:
        newest = f"SELECT max(number) FROM analyses WHERE {ABOUT} AND {condition}"
        sql = f"SELECT * FROM analyses WHERE number = ({newest})"
        row: sqlite3.Row | None = connection.execute(sql, (*about, value)).fetchone()
        if row is not None:
            return row
    return None
