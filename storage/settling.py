"""Settles a delivery: all it led to is written in one transaction, and what it means acts once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.approvals import Approve, EndHeld, Trust
from bot.store.changes import (
    EndPreview,
    ExtendPreview,
    HeadMove,
    NameChange,
    OpenPreview,
    ReleaseLocks,
    Settled,
    Settlement,
    ShowAgain,
    TakeLock,
)
from storage import answers, approvals, audit, locks, previews, reports
from storage.guids import Guid, unpacked
from storage.jobs import holds, repositories
from storage.jobs import rows as jobrows
from storage.rows import to_us


def settle(
    connection: sqlite3.Connection, seq: int, settlement: Settlement, now: datetime, max_waiting: int
) -> Settled:
    """Write changes, cancels, jobs, answers and the audit trail.

    Nothing but the outcome where the meaning was acted on before, nothing at all where the delivery is settled.
    """
    guid = _open(connection, seq)
    if guid is None:
        return Settled(acted=False)
    if not _first_to_mean(connection, seq, settlement.semantic_key):
        _close(connection, seq, "duplicate", "acted_on_before", settlement.semantic_key, now)
        return Settled(acted=False)
    for entry in settlement.audit:
        audit.append(connection, entry, now, guid)
    for change in settlement.changes:
        CHANGES[type(change)](connection, change, now)
    for job_id, by in settlement.cancels:
        jobrows.cancel(connection, job_id, by, now)
    jobs = tuple(jobrows.create(connection, request, now, max_waiting) for request in settlement.jobs)
    for answer in settlement.answers:
        answers.keep(connection, answer, seq)
    _close(connection, seq, settlement.outcome, settlement.reason, settlement.semantic_key, now)
    return Settled(acted=True, jobs=jobs)


def reopen(connection: sqlite3.Connection, guid: Guid, now: datetime) -> bool:
    """Make a settled delivery due again, as if it had never meant anything. False when its body is not kept."""
    row = connection.execute("SELECT seq, semantic_key, body FROM deliveries WHERE guid = ?", (guid,)).fetchone()
    if row is None or row["body"] is None:
        return False
    connection.execute("DELETE FROM acts WHERE semantic_key = ?", (row["semantic_key"],))
    answers.forget(connection, row["seq"])
    connection.execute(
        "UPDATE deliveries SET outcome = NULL, reason = NULL, semantic_key = NULL, settled_us = NULL,"
        " claimed_by = NULL, attempts = 0, due_us = ? WHERE seq = ?",
        (to_us(now), row["seq"]),
    )
    return True


def _open(connection: sqlite3.Connection, seq: int) -> str | None:
    """The guid of a delivery that is not settled yet."""
    sql = "SELECT guid FROM deliveries WHERE seq = ? AND outcome IS NULL"
    row = connection.execute(sql, (seq,)).fetchone()
    return None if row is None else unpacked(row["guid"])


def _first_to_mean(connection: sqlite3.Connection, seq: int, semantic_key: str | None) -> bool:
    if semantic_key is None:
        return True
    sql = "INSERT INTO acts (semantic_key, delivery_seq) VALUES (?, ?) ON CONFLICT (semantic_key) DO NOTHING"
    return connection.execute(sql, (semantic_key, seq)).rowcount == 1


def _move_head(connection: sqlite3.Connection, move: HeadMove, now: datetime) -> None:
    """Keep the head of the latest delivery received; one that is settled late never moves it back."""
    connection.execute(
        "INSERT INTO heads (repository_id, number, sha, received_us, received_seq) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (repository_id, number) DO UPDATE SET sha = excluded.sha, received_us = excluded.received_us,"
        " received_seq = excluded.received_seq WHERE excluded.received_seq >= heads.received_seq",
        (move.repository_id, move.number, move.sha, to_us(move.received_at), move.received_seq),
    )


def _close(
    connection: sqlite3.Connection, seq: int, outcome: str, reason: str, semantic_key: str | None, now: datetime
) -> None:
    connection.execute(
        "UPDATE deliveries SET outcome = ?, reason = ?, semantic_key = ?, settled_us = ?, claimed_by = NULL"
        " WHERE seq = ?",
        (outcome, reason, semantic_key, to_us(now), seq),
    )


CHANGES: Mapping[type, Callable[[sqlite3.Connection, Any, datetime], Any]] = {
    HeadMove: _move_head,
    NameChange: repositories.note,
    TakeLock: locks.take,
    ReleaseLocks: locks.release,
    Approve: holds.approve,
    Trust: approvals.trust,
    EndHeld: holds.end_held,
    OpenPreview: previews.open_one,
    ExtendPreview: previews.extend,
    EndPreview: previews.end,
    ShowAgain: reports.show_again,
}
"""How each kind of change is written. One that cannot be raises Refused, and then nothing of the settlement is."""
