"""Whose turn it is in each lane, and who may take it: the oldest unfinished job of a lane is the only one runnable.

A job that was taken is always the oldest of its lane, and stays so until it ends. Hence one mark, `turn`, kept when
a job is made and when one ends, says all a claim must know, however many jobs wait.
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
    """Whether no unfinished job stands in the lane."""
    sql = "SELECT 1 FROM jobs WHERE lane = ? AND ended_us IS NULL LIMIT 1"
    return connection.execute(sql, (lane,)).fetchone() is None


def pass_turn(connection: sqlite3.Connection, lane: str) -> None:
    """After a job of the lane ended: it is the turn of the oldest one left. Repeatable."""
    connection.execute(
        "UPDATE jobs SET turn = 1 WHERE turn = 0 AND number ="
        " (SELECT number FROM jobs WHERE lane = ? AND ended_us IS NULL ORDER BY number LIMIT 1)",
        (lane,),
    )
