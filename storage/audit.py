"""The audit trail: each entry is added in the transaction of what it tells, chained to the one before."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.audit import AuditEntry, AuditRecord, Head, Verdict, record_of, verify
from bot.store.audit import AuditFilter
from storage.engine.database import Database
from storage.rows import EPOCH, from_json, from_us, to_json, to_us
from storage.schema.reads import ISSUE

READ_AT_ONCE = 1000
COLUMNS = (
    *("number", "at_us", "actor", "actor_id", "face", "repository", "environment", "sha", "command", "raw", "outcome"),
    *("reason", "rules", "job_id", "delivery", "previous", "hash"),
)
INSERT = f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def append(connection: sqlite3.Connection, entry: AuditEntry, now: datetime, delivery: str | None = None) -> None:
    """Add one entry. The caller's transaction holds the write lock, so that all processes make one chain."""
    record = record_of(_with_its_job(connection, entry), _head(connection), now, delivery)
    connection.execute(INSERT, _row(record))


class SqlAudit:
    """`bot.store.audit.Audit` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry, now: datetime) -> None:
        await self._database.write(lambda c: append(c, entry, now))

    async def page(self, which: AuditFilter, after: int = 0, limit: int = READ_AT_ONCE) -> list[AuditRecord]:
        return await self._database.read(lambda c: _page(c, which, after, limit))

    async def of_job(self, job_id: str) -> list[AuditRecord]:
        sql = "SELECT * FROM audit WHERE job_id = ? ORDER BY number"
        return await self._database.read(lambda c: [_record(row) for row in c.execute(sql, (job_id,))])

    async def of_jobs(self, job_ids: Sequence[str], command: str) -> list[AuditRecord]:
        marks = ", ".join("?" * len(job_ids))
        sql = f"SELECT * FROM audit WHERE job_id IN ({marks}) AND command = ? ORDER BY number"
        return await self._database.read(lambda c: [_record(row) for row in c.execute(sql, (*job_ids, command))])

    async def newest(self, repository: str, number: int | None, limit: int) -> list[AuditRecord]:
        where = "repository = ?" if number is None else f"repository = ? AND {ISSUE} = ?"
        sql = f"SELECT * FROM audit WHERE {where} ORDER BY number DESC LIMIT ?"
        values = [value for value in (repository, number, limit) if value is not None]
        return await self._database.read(lambda c: [_record(row) for row in c.execute(sql, values)])

    async def verify(self, noted: Head | None = None) -> Verdict:
        return await self._database.read(lambda c: verify(_all(c), _head(c), noted))


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT number, hash FROM audit_head").fetchone()
    return Head() if row is None else Head(row["number"], row["hash"])


def _with_its_job(connection: sqlite3.Connection, entry: AuditEntry) -> AuditEntry:
    """An entry about a job tells that job's repository, environment and commit where it names none."""
    if entry.job_id is None or (entry.repository and entry.environment and entry.sha):
        return entry
    sql = "SELECT repository, environment, sha FROM jobs WHERE id = ?"
    row = connection.execute(sql, (entry.job_id,)).fetchone()
    if row is None:
        return entry
    return dataclasses.replace(
        entry,
        repository=entry.repository or row["repository"],
        environment=entry.environment or row["environment"],
        sha=entry.sha or row["sha"],
    )


def _all(connection: sqlite3.Connection) -> Iterator[AuditRecord]:
    return map(_record, connection.execute("SELECT * FROM audit ORDER BY number"))


def _page(connection: sqlite3.Connection, which: AuditFilter, after: int, limit: int) -> list[AuditRecord]:
    asked = {
        "repository = ?": which.repository,
        "at_us >= ?": None if which.since is None else to_us(which.since),
        "at_us < ?": None if which.until is None else to_us(which.until),
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    where = " AND ".join(["number > ?", *given])
    sql = f"SELECT * FROM audit WHERE {where} ORDER BY number LIMIT ?"
    return [_record(row) for row in connection.execute(sql, (after, *given.values(), limit))]


def _row(record: AuditRecord) -> tuple[object, ...]:
    entry = record.entry
    return (
        record.number,
        to_us(record.at),
        entry.actor,
        entry.actor_id,
        entry.face,
        entry.repository,
        entry.environment,
        entry.sha,
        entry.command,
        entry.raw,
        entry.outcome,
        entry.reason,
        to_json(entry.rules),
        entry.job_id,
        record.delivery,
        record.previous,
        record.hash,
    )


def _record(row: sqlite3.Row) -> AuditRecord:
    """Read one back; what cannot be read any more is a record that does not hold."""
    try:
        at, rules = from_us(row["at_us"]), from_json(row["rules"])
        unaltered = to_json(rules) == row["rules"]
    except (TypeError, ValueError, OverflowError):
        at, rules, unaltered = EPOCH, {}, False
    entry = AuditEntry(
        actor=row["actor"],
        face=row["face"],
        command=row["command"],
        outcome=row["outcome"],
        reason=row["reason"],
        repository=row["repository"],
        raw=row["raw"],
        rules=rules,
        actor_id=row["actor_id"],
        environment=row["environment"],
        sha=row["sha"],
        job_id=row["job_id"],
    )
    return AuditRecord(
        row["number"], at, row["delivery"], entry, row["previous"], row["hash"] if unaltered else "unreadable"
    )
