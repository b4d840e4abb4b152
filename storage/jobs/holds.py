"""Jobs that wait outside of their lane: approved, released once when nothing is missing, or ended without a run."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import datetime

from bot.approvals import Approve, EndHeld
from bot.errors import Refused
from bot.model import EventType, Hold, JobState, NewEvent
from storage.jobs import events, lanes, lines
from storage.jobs import rows as jobrows
from storage.rows import to_us


def approve(connection: sqlite3.Connection, given: Approve, now: datetime) -> None:
    """Count one approval, and release the job with the last one that was missing.

    Raises Refused("approval_over", "approval_for_other_commit", "approved_already"); then nothing is written.
    """
    row = _held(connection, given.job_id)
    if row is None:
        raise Refused("approval_over", job=given.job_id)
    if row["sha"] != given.sha:
        raise Refused("approval_for_other_commit", job=given.job_id, sha=given.sha[:12], now=row["sha"][:12])
    kept = connection.execute(
        "INSERT INTO approvals (job, sha, actor_id, actor, face, at_us) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (job, actor_id) DO NOTHING",
        (given.job_id, given.sha, given.actor_id, given.actor, given.face, to_us(now)),
    )
    if kept.rowcount != 1:
        raise Refused("approved_already", job=given.job_id, actor=given.actor)
    approved = NewEvent(
        EventType.JOB_APPROVED,
        f"Approved by {given.actor}",
        details={"by": given.actor, "by_id": given.actor_id, "sha": given.sha, "face": given.face},
    )
    events.append(connection, row["number"], [approved], now)
    _release_if_ready(connection, row, now)


def checks_passed(connection: sqlite3.Connection, job_id: str, now: datetime) -> bool:
    """The checks a held job waited for have passed. False when it did not wait for any."""
    row = _held(connection, job_id)
    hold = _hold_of(row) if row is not None else None
    if row is None or hold is None or not hold.checks:
        return False
    _wait_less(connection, row, dataclasses.replace(hold, checks=()), now)
    return True


def turn_came(connection: sqlite3.Connection, job_id: str, now: datetime) -> bool:
    """The job that a held job came after is completed. False when it did not come after any."""
    row = _held(connection, job_id)
    hold = _hold_of(row) if row is not None else None
    if row is None or hold is None or hold.after is None:
        return False
    _wait_less(connection, row, dataclasses.replace(hold, after=None), now)
    return True


def end_held(connection: sqlite3.Connection, end: EndHeld, now: datetime) -> bool:
    """End a job that is still held. False when it is not."""
    row = _held(connection, end.job_id)
    if row is None:
        return False
    state = JobState.TIMED_OUT if end.code == "approval_expired" else JobState.FAILED
    details = {"state": state.value, "error_code": end.code, "error_message": end.message}
    ended = NewEvent(EventType.JOB_ENDED, end.message, details=details)
    jobrows.end(connection, row, jobrows.Ended(state, "{}", end.code, end.message), [ended], now)
    return True


def _wait_less(connection: sqlite3.Connection, row: sqlite3.Row, rest: Hold, now: datetime) -> None:
    """The job waits for the rest now, which is told, or for nothing more."""
    jobrows.keep_hold(connection, row["number"], rest)
    if not _release_if_ready(connection, _held(connection, row["id"]) or row, now):
        events.append(connection, row["number"], [jobrows.held_event(rest)], now)


def _release_if_ready(connection: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> bool:
    """Let the job into its lane when it waits for nothing more. Answers whether it did."""
    hold = _hold_of(row)
    sql = "SELECT COUNT(*) FROM approvals WHERE job = ? AND sha = ?"
    count = connection.execute(sql, (row["id"], row["sha"])).fetchone()[0]
    if hold is None or hold.checks or hold.after or count < hold.approvals:
        return False
    released = NewEvent(EventType.JOB_RELEASED, "Released", details={"approvals": count})
    events.append(connection, row["number"], [released], now)
    lanes.enter(connection, row["number"], row["lane"])
    lines.moved(connection, row["lane"], row["number"], now)
    return True


def _held(connection: sqlite3.Connection, job_id: str) -> sqlite3.Row | None:
    sql = "SELECT * FROM jobs WHERE id = ? AND held = 1 AND ended_us IS NULL"
    row: sqlite3.Row | None = connection.execute(sql, (job_id,)).fetchone()
    return row


def _hold_of(row: sqlite3.Row) -> Hold | None:
    return jobrows.to_job(row).hold
