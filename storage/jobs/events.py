"""The facts of a job: numbered without gaps, in the transaction that made them true."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bot.model import Event, EventType, NewEvent, Stage
from storage.rows import from_json, from_us, to_json, to_us


def append(connection: sqlite3.Connection, number: int, events: Sequence[NewEvent], now: datetime) -> list[Event]:
    """Number the events after the job's last and leave every face behind them."""
    if not events:
        return []
    row = connection.execute(
        "UPDATE jobs SET last_seq = last_seq + ? WHERE number = ? RETURNING id, last_seq", (len(events), number)
    ).fetchone()
    first = row["last_seq"] - len(events) + 1
    numbered = [
        Event(row["id"], seq, now, each.type, each.message, each.stage, each.details)
        for seq, each in enumerate(events, start=first)
    ]
    connection.executemany(
        "INSERT INTO events (job, seq, at_us, type, message, stage, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(number, e.seq, to_us(e.at), e.type, e.message, e.stage, to_json(e.details)) for e in numbered],
    )
    connection.execute("UPDATE reports SET behind = 1 WHERE job = ? AND behind = 0", (number,))
    return numbered


def after(connection: sqlite3.Connection, job_id: str, seq: int, limit: int) -> list[Event]:
    """The job's events after `seq`, oldest first."""
    rows = connection.execute(
        "SELECT events.* FROM jobs JOIN events ON events.job = jobs.number"
        " WHERE jobs.id = ? AND events.seq > ? ORDER BY events.seq LIMIT ?",
        (job_id, seq, limit),
    )
    return [_event(job_id, row) for row in rows]


def story(connection: sqlite3.Connection, job_id: str) -> list[Event]:
    """Every event of the job but its log, oldest first."""
    rows = connection.execute(
        "SELECT events.* FROM jobs JOIN events ON events.job = jobs.number"
        " WHERE jobs.id = ? AND events.type <> ? ORDER BY events.seq",
        (job_id, EventType.LOG_WRITTEN),
    )
    return [_event(job_id, row) for row in rows]


def log_tail(connection: sqlite3.Connection, job_id: str, lines: int, stage: Stage | None = None) -> list[str]:
    """The last lines of the job's log, or of one stage's; no more events are read than they stand in."""
    rows = connection.execute(
        "SELECT events.details FROM jobs JOIN events ON events.job = jobs.number"
        " WHERE jobs.id = ? AND events.type = ? AND (? IS NULL OR events.stage = ?) ORDER BY events.seq DESC",
        (job_id, EventType.LOG_WRITTEN, stage, stage),
    )
    tail: list[str] = []
    for row in rows:
        tail = [*from_json(row["details"])["lines"], *tail]
        if len(tail) >= lines:
            break
    return tail[-lines:]


def _event(job_id: str, row: sqlite3.Row) -> Event:
    return Event(
        job_id,
        row["seq"],
        from_us(row["at_us"]),
        EventType(row["type"]),
        row["message"],
        None if row["stage"] is None else Stage(row["stage"]),
        from_json(row["details"]),
    )
