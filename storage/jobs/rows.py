"""A job as a row: how it is made, ended and read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import LeaseLost, Refused
from bot.model import (
    EventType,
    Hold,
    Job,
    JobKind,
    JobRequest,
    JobState,
    NewEvent,
    Origin,
    Repository,
    Stage,
)
from storage import audited
from storage.jobs import events, lanes, lines
from storage.rows import from_json, from_us, from_us_or_none, to_json, to_us

WAITS = "state = 'PENDING' AND (lease_until_us IS NULL OR lease_until_us <= ?)"
"""Nobody works on it, and nobody did."""


def create(connection: sqlite3.Connection, request: JobRequest, now: datetime, max_waiting: int) -> Job:
    """Make a job of the request, ending those it supersedes. Raises Refused("queue_full")."""
    if request.supersedes_waiting:
        supersede(connection, request, now)
    _require_room(connection, max_waiting)
    number, job_id = _insert(connection, request, now)
    facts = [NewEvent(EventType.JOB_QUEUED, "Queued", details={"state": JobState.PENDING.value})]
    if request.hold is not None:
        facts.append(held_event(request.hold))
    events.append(connection, number, facts, now)
    return require(connection, job_id)


def supersede(connection: sqlite3.Connection, request: JobRequest, now: datetime) -> None:
    """End the jobs of the same face that wait in the lane."""
    rows = connection.execute(
        f"SELECT * FROM jobs WHERE lane = ? AND face = ? AND {WAITS} ORDER BY number",
        (request.lane, request.origin.face, to_us(now)),
    ).fetchall()
    details = {"state": JobState.SUPERSEDED.value, "by_sha": request.sha}
    for row in rows:
        ended = NewEvent(EventType.JOB_ENDED, "Superseded by a newer commit", details=details)
        end(connection, row, Ended(JobState.SUPERSEDED, error_code="superseded", by=request.origin.actor), [ended], now)


def cancel(connection: sqlite3.Connection, job_id: str, by: str, now: datetime) -> Job | None:
    """End a waiting job; tell a running one, once. None when unknown; an ended job stays as it is."""
    row = _row(connection, job_id)
    if row is None or row["ended_us"] is not None:
        return _job_or_none(row)
    asked = NewEvent(EventType.CANCEL_ASKED, f"Cancel asked by {by}", details={"by": by})
    if row["state"] == JobState.PENDING and (row["lease_until_us"] or 0) <= to_us(now):
        details = {"state": JobState.CANCELLED.value, "error_code": "cancelled", "by": by}
        ended = NewEvent(EventType.JOB_ENDED, f"Cancelled by {by}", details=details)
        connection.execute("UPDATE jobs SET cancel_asked_by = ? WHERE number = ?", (by, row["number"]))
        end(connection, row, Ended(JobState.CANCELLED, error_code="cancelled", by=by), [asked, ended], now)
    elif row["cancel_asked_by"] is None:
        connection.execute("UPDATE jobs SET cancel_asked_by = ? WHERE number = ?", (by, row["number"]))
        events.append(connection, row["number"], [asked], now)
    return require(connection, job_id)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended; `result` is JSON text."""

    state: JobState
    result: str = "{}"
    error_code: str | None = None
    error_message: str | None = None
    by: str | None = None
    """Who ended it, where that is not who asked for it."""


def end(
    connection: sqlite3.Connection, row: sqlite3.Row, ended: Ended, facts: Sequence[NewEvent], now: datetime
) -> None:
    """Bring a job to a final state, tell the audit trail, and let its lane move up."""
    connection.execute(
        "UPDATE jobs SET state = ?, ended_us = ?, turn = 0, held = 0, lease_owner = NULL, lease_until_us = NULL,"
        " result = ?, error_code = ?, error_message = ? WHERE number = ?",
        (ended.state, to_us(now), ended.result, ended.error_code, ended.error_message, row["number"]),
    )
    events.append(connection, row["number"], facts, now)
    by = ended.by or row["actor"]
    audited.ended(connection, row, ended.state, ended.error_code, ended.result, by, now)
    lanes.pass_turn(connection, row["lane"])
    if not row["held"]:
        lines.moved(connection, row["lane"], 0 if row["turn"] else row["number"], now)


def held(connection: sqlite3.Connection, job_id: str, fence: int) -> sqlite3.Row:
    """The job's row while the fence is the newest one. Raises LeaseLost otherwise, and when the job has ended."""
    row = _row(connection, job_id)
    if row is None or row["fence"] != fence or row["ended_us"] is not None:
        raise LeaseLost("lease_lost", job=job_id)
    return row


def require(connection: sqlite3.Connection, job_id: str) -> Job:
    """The job, which must be there."""
    row = _row(connection, job_id)
    if row is None:
        raise LookupError(job_id)
    return to_job(row)


def find(connection: sqlite3.Connection, job_id: str) -> Job | None:
    """The job, or None."""
    return _job_or_none(_row(connection, job_id))


def to_job(row: sqlite3.Row) -> Job:
    """A row of `jobs` as the model speaks of it."""
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        lane=row["lane"],
        repository=Repository(row["repository_id"], row["repository"]),
        sha=row["sha"],
        ref=row["ref"],
        environment=row["environment"],
        origin=_origin(row),
        spec=from_json(row["spec"]),
        created_at=from_us(row["created_us"]),
        started_at=from_us_or_none(row["started_us"]),
        ended_at=from_us_or_none(row["ended_us"]),
        stage=None if row["stage"] is None else Stage(row["stage"]),
        fence=row["fence"],
        lease_owner=row["lease_owner"],
        lease_until=from_us_or_none(row["lease_until_us"]),
        cancel_asked_by=row["cancel_asked_by"],
        result=from_json(row["result"]),
        error_code=row["error_code"],
        error_message=row["error_message"],
        hold=_hold(row["hold"]) if row["held"] else None,
    )


def keep_hold(connection: sqlite3.Connection, number: int, hold: Hold) -> None:
    """Let a job that is held wait for this now."""
    connection.execute("UPDATE jobs SET hold = ? WHERE number = ?", (to_json(_hold_json(hold)), number))


def held_event(hold: Hold) -> NewEvent:
    """That a job waits outside of its lane, and for what."""
    return NewEvent(EventType.JOB_HELD, "Held", details=_hold_json(hold))


def _hold_json(hold: Hold) -> dict[str, Any]:
    who, checks = list(hold.who), list(hold.checks)
    return {
        "until": hold.until.isoformat(),
        "approvals": hold.approvals,
        "who": who,
        "checks": checks,
        "after": hold.after,
    }


def _hold(text: str) -> Hold:
    kept = from_json(text)
    until = datetime.fromisoformat(kept["until"])
    return Hold(until, kept["approvals"], tuple(kept["who"]), tuple(kept["checks"]), kept.get("after"))


def _origin(row: sqlite3.Row) -> Origin:
    return Origin(
        row["face"],
        row["actor"],
        row["installation_id"],
        row["pull_number"],
        row["comment_id"],
        row["channel"],
        row["thread"],
        row["actor_id"],
    )


def _require_room(connection: sqlite3.Connection, max_waiting: int) -> None:
    sql = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state = 'PENDING' LIMIT ?)"
    if connection.execute(sql, (max_waiting,)).fetchone()[0] >= max_waiting:
        raise Refused("queue_full", limit=max_waiting)


def _insert(connection: sqlite3.Connection, request: JobRequest, now: datetime) -> tuple[int, str]:
    origin, repository = request.origin, request.repository
    row = connection.execute(
        "INSERT INTO jobs (id, kind, state, lane, turn, repository_id, repository, sha, ref, environment, face, actor,"
        " installation_id, pull_number, comment_id, channel, thread, actor_id, created_us, spec, held, hold)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number, id",
        (
            request.id,
            request.kind,
            JobState.PENDING,
            request.lane,
            int(request.hold is None and lanes.is_idle(connection, request.lane)),
            repository.id,
            repository.full_name,
            request.sha,
            request.ref,
            request.environment,
            origin.face,
            origin.actor,
            origin.installation_id,
            origin.pull_number,
            origin.comment_id,
            origin.channel,
            origin.thread,
            origin.actor_id,
            to_us(now),
            to_json(request.spec),
            int(request.hold is not None),
            to_json(_hold_json(request.hold)) if request.hold else None,
        ),
    ).fetchone()
    return row["number"], row["id"]


def _row(connection: sqlite3.Connection, job_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row


def _job_or_none(row: sqlite3.Row | None) -> Job | None:
    return None if row is None else to_job(row)
