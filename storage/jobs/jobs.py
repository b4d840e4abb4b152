"""Durable jobs: leased one per lane, moved on only by who holds the newest fence, listed newest first."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.approvals import EndHeld
from bot.audit import AuditEntry
from bot.errors import LeaseLost
from bot.model import Event, Job, JobRequest, JobState, NewEvent, Repository, Stage, may_follow
from bot.store.jobs import JobFilter, NewRelease
from storage import audited, releases
from storage.engine.database import Database
from storage.jobs import events as facts_of
from storage.jobs import holds, lanes, lines, repositories
from storage.jobs import lists as joblists
from storage.jobs import rows as jobrows
from storage.rows import from_json, from_us, seconds_later, to_json, to_us


class SqlJobs:
    """`bot.store.jobs.Jobs` over the database. `max_waiting` bounds the jobs nobody has started."""

    def __init__(self, database: Database, max_waiting: int) -> None:
        self._database = database
        self._max_waiting = max_waiting

    async def create(self, request: JobRequest, now: datetime, audit: Sequence[AuditEntry] = ()) -> Job:
        def unit(connection: sqlite3.Connection) -> Job:
            known = jobrows.find(connection, request.id)
            if known is not None:
                return known
            job = jobrows.create(connection, request, now, self._max_waiting)
            audited.asked(connection, request, audit, now)
            return job

        return await self._database.write(unit)

    async def get(self, job_id: str) -> Job | None:
        return await self._database.read(lambda c: jobrows.find(c, job_id))

    async def several(self, job_ids: Sequence[str]) -> dict[str, Job]:
        return await self._database.read(lambda c: joblists.several(c, job_ids))

    async def find(self, which: JobFilter) -> list[Job]:
        return await self._database.read(lambda c: joblists.listed(c, which))

    async def called(self, name: str) -> Repository | None:
        return await self._database.read(lambda c: repositories.called(c, name))

    async def named_now(self, repository: Repository) -> Repository:
        return await self._database.read(lambda c: repositories.named_now(c, repository))

    async def claim(self, worker: str, now: datetime, lease_s: float, only: str | None = None) -> Job | None:
        if not await self._database.glance(lambda c: lanes.any_runnable(c, now)):
            return None
        row = await self._database.write(lambda c: lanes.claim(c, worker, now, lease_s, only))
        return None if row is None else jobrows.to_job(row)

    async def heartbeat(self, job_id: str, fence: int, now: datetime, lease_s: float) -> datetime:
        until_us = seconds_later(now, lease_s)
        await self._database.write(lambda c: _renew(c, job_id, fence, until_us))
        return from_us(until_us)

    async def lease_owners(self) -> list[str]:
        return await self._database.read(_lease_owners)

    async def lapse(self, worker: str) -> int:
        return await self._database.write(lambda c: _lapse(c, worker))

    async def give_back(self, job_id: str, fence: int) -> None:
        sql = "UPDATE jobs SET lease_owner = NULL, lease_until_us = NULL WHERE id = ? AND fence = ?"
        await self._database.write(lambda c: c.execute(sql, (job_id, fence)).rowcount)

    async def advance(
        self, job_id: str, fence: int, state: JobState, stage: Stage | None, events: Sequence[NewEvent], now: datetime
    ) -> list[Event]:
        def unit(connection: sqlite3.Connection) -> list[Event]:
            row = jobrows.held(connection, job_id, fence)
            _require_allowed(row, state)
            connection.execute(
                "UPDATE jobs SET state = ?, stage = COALESCE(?, stage), started_us = COALESCE(started_us, ?)"
                " WHERE number = ?",
                (state, stage, to_us(now), row["number"]),
            )
            return facts_of.append(connection, row["number"], events, now)

        if state.is_final:
            raise ValueError(f"{state} is final: finish the job instead")
        return await self._database.write(unit)

    async def append(
        self,
        job_id: str,
        fence: int,
        events: Sequence[NewEvent],
        now: datetime,
        facts: Mapping[Stage, Mapping[str, Any]] | None = None,
    ) -> list[Event]:
        def unit(connection: sqlite3.Connection) -> list[Event]:
            number = jobrows.held(connection, job_id, fence)["number"]
            for stage, known in (facts or {}).items():
                _keep(connection, number, stage, known)
            return facts_of.append(connection, number, events, now)

        return await self._database.write(unit)

    async def keep_facts(self, job_id: str, fence: int, stage: Stage, facts: Mapping[str, Any]) -> None:
        def unit(connection: sqlite3.Connection) -> None:
            _keep(connection, jobrows.held(connection, job_id, fence)["number"], stage, facts)

        await self._database.write(unit)

    async def facts(self, job_id: str) -> dict[Stage, dict[str, Any]]:
        sql = "SELECT stage, facts FROM facts WHERE job = (SELECT number FROM jobs WHERE id = ?) ORDER BY stage"
        rows = await self._database.read(lambda c: c.execute(sql, (job_id,)).fetchall())
        return {Stage(row["stage"]): from_json(row["facts"]) for row in rows}

    async def finish(
        self,
        job_id: str,
        fence: int,
        state: JobState,
        events: Sequence[NewEvent],
        now: datetime,
        *,
        result: Mapping[str, Any],
        error_code: str | None = None,
        error_message: str | None = None,
        release: NewRelease | None = None,
        activate: int | None = None,
    ) -> None:
        def unit(connection: sqlite3.Connection) -> None:
            row = jobrows.held(connection, job_id, fence)
            _require_allowed(row, state)
            if release is not None:
                releases.record(connection, release, now)
            if activate is not None:
                releases.activate(connection, activate)
            by = row["cancel_asked_by"] if state is JobState.CANCELLED else None
            ended = jobrows.Ended(state, to_json(result), error_code, error_message, by)
            jobrows.end(connection, row, ended, events, now)

        if not state.is_final:
            raise ValueError(f"{state} is not final: advance the job instead")
        await self._database.write(unit)

    async def ask_cancel(self, job_id: str, by: str, now: datetime) -> Job | None:
        def unit(connection: sqlite3.Connection) -> Job | None:
            known = jobrows.find(connection, job_id)
            if known is not None and not known.state.is_final:
                audited.asked_to_stop(connection, job_id, by, now)
            return jobrows.cancel(connection, job_id, by, now)

        return await self._database.write(unit)

    async def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[Event]:
        return await self._database.read(lambda c: facts_of.after(c, job_id, after, limit))

    async def story(self, job_id: str) -> list[Event]:
        return await self._database.read(lambda c: facts_of.story(c, job_id))

    async def log_tail(self, job_id: str, lines: int, stage: Stage | None = None) -> list[str]:
        return await self._database.read(lambda c: facts_of.log_tail(c, job_id, lines, stage))

    async def last_seq(self, job_id: str) -> int:
        sql = "SELECT last_seq FROM jobs WHERE id = ?"
        row = await self._database.read(lambda c: c.execute(sql, (job_id,)).fetchone())
        return 0 if row is None else int(row["last_seq"])

    async def unfinished_in(self, repository_id: int, environment: str) -> list[str]:
        sql = (
            "SELECT id FROM jobs WHERE repository_id = ? AND environment = ? AND ended_us IS NULL AND held = 0"
            " ORDER BY number"
        )
        rows = await self._database.read(lambda c: c.execute(sql, (repository_id, environment)).fetchall())
        return [row["id"] for row in rows]

    async def line(self, lane: str, limit: int = 500) -> list[Job]:
        return await self._database.read(lambda c: [jobrows.to_job(row) for row in lines.rows(c, lane, limit)])

    async def lane_seconds(self, lane: str, limit: int = 20) -> list[float]:
        return await self._database.read(lambda c: lines.seconds(c, lane, limit))

    async def ahead_in_lane(self, job: Job) -> int:
        sql = (
            "SELECT COUNT(*) AS ahead FROM jobs WHERE lane = ? AND ended_us IS NULL AND held = 0 AND id <> ?"
            " AND (turn = 1 OR number < (SELECT number FROM jobs WHERE id = ?))"
        )
        row = await self._database.read(lambda c: c.execute(sql, (job.lane, job.id, job.id)).fetchone())
        return int(row["ahead"])

    async def held(self) -> list[Job]:
        sql = "SELECT * FROM jobs WHERE held = 1 ORDER BY number"
        rows = await self._database.read(lambda c: c.execute(sql).fetchall())
        return [jobrows.to_job(row) for row in rows]

    async def checks_passed(self, job_id: str, now: datetime) -> bool:
        return await self._database.write(lambda c: holds.checks_passed(c, job_id, now))

    async def turn_came(self, job_id: str, now: datetime) -> bool:
        return await self._database.write(lambda c: holds.turn_came(c, job_id, now))

    async def end_held(self, end: EndHeld, now: datetime) -> bool:
        return await self._database.write(lambda c: holds.end_held(c, end, now))


def _keep(connection: sqlite3.Connection, number: int, stage: Stage, facts: Mapping[str, Any]) -> None:
    connection.execute(
        "INSERT INTO facts (job, stage, facts) VALUES (?, ?, ?)"
        " ON CONFLICT (job, stage) DO UPDATE SET facts = excluded.facts",
        (number, stage, to_json(facts)),
    )


def _require_allowed(row: sqlite3.Row, state: JobState) -> None:
    before = JobState(row["state"])
    if not may_follow(before, state):
        raise ValueError(f"job {row['id']}: {state} may not follow {before}")


def _renew(connection: sqlite3.Connection, job_id: str, fence: int, until_us: int) -> None:
    sql = "UPDATE jobs SET lease_until_us = ? WHERE id = ? AND fence = ? AND lease_owner IS NOT NULL"
    if connection.execute(sql, (until_us, job_id, fence)).rowcount != 1:
        raise LeaseLost("lease_lost", job=job_id)


def _lease_owners(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT lease_owner FROM jobs WHERE lease_owner IS NOT NULL"
        " UNION SELECT claimed_by FROM deliveries WHERE outcome IS NULL AND claimed_by IS NOT NULL ORDER BY 1"
    )
    return [row[0] for row in rows]


def _lapse(connection: sqlite3.Connection, worker: str) -> int:
    connection.execute(
        "UPDATE deliveries SET claimed_by = NULL, due_us = 0 WHERE outcome IS NULL AND claimed_by = ?", (worker,)
    )
    return connection.execute(
        "UPDATE jobs SET lease_owner = NULL, lease_until_us = NULL WHERE lease_owner = ?", (worker,)
    ).rowcount
