"""Each face's cursor over each job's events, with a mark on those that are behind, so that finding them is cheap."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.store.changes import ShowAgain
from bot.store.reports import Report
from storage.engine.database import Database
from storage.jobs.rows import to_job
from storage.rows import from_json, seconds_later, to_json, to_us

FIRST_LOOK_BACK_S = 86_400.0
"""A face that is new here is told of unfinished jobs and those of the last day, not of all history."""


REWIND = (
    "UPDATE reports SET told_seq = 0, behind = 1, attempts = 0, due_us = 0, reason = NULL"
    " WHERE face = ? AND job = (SELECT number FROM jobs WHERE id = ?)"
)
CHECK_RUN = "check_run"
"""The face that shows jobs as check runs."""


def show_again(connection: sqlite3.Connection, change: ShowAgain, now: datetime) -> None:
    """Leave the check run's face behind, so that it tells the job once more."""
    connection.execute(REWIND, (CHECK_RUN, change.job_id))


class SqlReports:
    """`bot.store.reports.Reports` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def behind(self, face: str, now: datetime, limit: int = 50) -> list[Report]:
        behind, is_new = await self._database.glance(
            lambda c: (_behind(c, face, now, limit), _newest(c) > (_enrolled(c, face) or 0))
        )
        if not is_new:
            return behind
        await self._database.write(lambda c: _enrol(c, face, now))
        return await self._database.read(lambda c: _behind(c, face, now, limit))

    async def told(self, face: str, job_id: str, seq: int, state: Mapping[str, Any]) -> None:
        sql = (
            "INSERT INTO reports (job, face, told_seq, behind, state)"
            " SELECT number, ?, ?, CASE WHEN last_seq > ? THEN 1 ELSE 0 END, ? FROM jobs WHERE id = ?"
            " ON CONFLICT (job, face) DO UPDATE SET told_seq = excluded.told_seq, behind = excluded.behind,"
            " state = excluded.state, attempts = 0, due_us = 0, reason = NULL"
        )
        await self._write(sql, face, seq, seq, to_json(state), job_id)

    async def keep_state(self, face: str, job_id: str, state: Mapping[str, Any]) -> None:
        sql = (
            "INSERT INTO reports (job, face, state) SELECT number, ?, ? FROM jobs WHERE id = ?"
            " ON CONFLICT (job, face) DO UPDATE SET state = excluded.state"
        )
        await self._write(sql, face, to_json(state), job_id)

    async def postpone(self, face: str, job_id: str, until: datetime, reason: str) -> None:
        sql = (
            "INSERT INTO reports (job, face, attempts, due_us, reason) SELECT number, ?, 1, ?, ? FROM jobs WHERE id = ?"
            " ON CONFLICT (job, face) DO UPDATE SET attempts = reports.attempts + 1, due_us = excluded.due_us,"
            " reason = excluded.reason"
        )
        await self._write(sql, face, to_us(until), reason, job_id)

    async def state(self, face: str, job_id: str) -> Mapping[str, Any] | None:
        sql = "SELECT state FROM reports WHERE job = (SELECT number FROM jobs WHERE id = ?) AND face = ?"
        row = await self._database.read(lambda c: c.execute(sql, (job_id, face)).fetchone())
        return None if row is None else from_json(row["state"])

    async def rewind(self, face: str, job_id: str) -> None:
        await self._write(REWIND, face, job_id)

    async def _write(self, sql: str, *values: object) -> None:
        await self._database.write(lambda c: c.execute(sql, values).rowcount)


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM jobs").fetchone()[0])


def _enrolled(connection: sqlite3.Connection, face: str) -> int | None:
    row = connection.execute("SELECT enrolled FROM faces WHERE face = ?", (face,)).fetchone()
    return None if row is None else int(row["enrolled"])


def _enrol(connection: sqlite3.Connection, face: str, now: datetime) -> None:
    """Give the face a cursor for each job that is new to it."""
    enrolled = _enrolled(connection, face)
    newest = _newest(connection)
    since_us = 0 if enrolled is not None else seconds_later(now, -FIRST_LOOK_BACK_S)
    connection.execute(
        "INSERT INTO reports (job, face) SELECT number, ? FROM jobs"
        " WHERE number > ? AND (created_us > ? OR ended_us IS NULL) ON CONFLICT (job, face) DO NOTHING",
        (face, enrolled or 0, since_us),
    )
    connection.execute(
        "INSERT INTO faces (face, enrolled) VALUES (?, ?)"
        " ON CONFLICT (face) DO UPDATE SET enrolled = excluded.enrolled",
        (face, newest),
    )


def _behind(connection: sqlite3.Connection, face: str, now: datetime, limit: int) -> list[Report]:
    rows = connection.execute(
        "SELECT jobs.*, reports.told_seq, reports.state AS told_state, reports.attempts"
        " FROM reports JOIN jobs ON jobs.number = reports.job"
        " WHERE reports.face = ? AND reports.behind = 1 AND reports.due_us <= ? ORDER BY reports.job LIMIT ?",
        (face, to_us(now), limit),
    )
    return [
        Report(to_job(row), face, row["told_seq"], row["last_seq"], from_json(row["told_state"]), row["attempts"])
        for row in rows
    ]
