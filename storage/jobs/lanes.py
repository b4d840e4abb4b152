"""Whose turn it is in each lane, and who may take it: one unfinished job of a lane is runnable, all others wait.

One mark, `turn`, kept when a job is made, released or ended, says all a claim must know, however many jobs wait. It
goes to the oldest; a job that is held for approval stands outside of its lane until it is released, and may then be
older than the one whose turn it is.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from storage.rows import seconds_later, to_us

RUNNABLE = "turn = 1 AND (lease_until_us IS NULL OR lease_until_us <= ?)"


def claim(
    connection: sqlite3.Connection, worker: str, now: datetime, lease_s: float, only: str | None = None
) -> sqlite3.Row | None:
    """Lease the oldest runnable job (or just `only`), raising its fence; None when there is none.

    Repeatable after the lease lapsed.
    """
    chosen = f"{RUNNABLE} AND id = ?" if only else RUNNABLE
    row: sqlite3.Row | None = connection.execute(
        "UPDATE jobs SET lease_owner = ?, lease_until_us = ?, fence = fence + 1"
        f" WHERE number = (SELECT number FROM jobs WHERE {chosen} ORDER BY number LIMIT 1) RETURNING *",
        (worker, seconds_later(now, lease_s), to_us(now), *([only] if only else [])),
    ).fetchone()
    return row


def any_runnable(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether a claim would find a job; asked first, so that an idle worker never takes the write lock."""
    sql = f"SELECT 1 FROM jobs WHERE {RUNNABLE} ORDER BY number LIMIT 1"
    return connection.execute(sql, (to_us(now),)).fetchone() is not None


def is_idle(connection: sqlite3.Connection, lane: str) -> bool:
    """Whether no unfinished job stands in the lane; those that are held do not."""
    sql = "SELECT 1 FROM jobs WHERE lane = ? AND ended_us IS NULL AND held = 0 LIMIT 1"
    return connection.execute(sql, (lane,)).fetchone() is None


def pass_turn(connection: sqlite3.Connection, lane: str) -> None:
    """After a job of the lane ended: unless it is another's turn, it is that of the oldest one left. Repeatable."""
    connection.execute(
        "UPDATE jobs SET turn = 1 WHERE number ="
        " (SELECT number FROM jobs WHERE lane = ? AND ended_us IS NULL AND held = 0 ORDER BY number LIMIT 1)"
        " AND NOT EXISTS (SELECT 1 FROM jobs WHERE lane = ? AND ended_us IS NULL AND turn = 1)",
        (lane, lane),
    )


def enter(connection: sqlite3.Connection, number: int, lane: str) -> None:
    """A job that was held takes its place in the lane, and the turn if nobody stands there."""
    connection.execute("UPDATE jobs SET held = 0, hold = NULL WHERE number = ?", (number,))
    pass_turn(connection, lane)
