"""The line of each lane: who stands in it, how long it goes, and telling those behind when it moves."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.model import EventType, JobState, NewEvent
from storage.jobs import events

TOLD = 20
"""Places from the front that are told of each move; those farther back see it when they come nearer."""
ORDER = "ORDER BY turn DESC, number"
STANDING = "lane = ? AND ended_us IS NULL AND held = 0"


def rows(connection: sqlite3.Connection, lane: str, limit: int) -> list[sqlite3.Row]:
    """The first that stand in it, whoever runs before all others."""
    return connection.execute(f"SELECT * FROM jobs WHERE {STANDING} {ORDER} LIMIT ?", (lane, limit)).fetchall()


def seconds(connection: sqlite3.Connection, lane: str, limit: int) -> list[float]:
    """How long the last jobs there took from their start to their end."""
    sql = (
        "SELECT (ended_us - started_us) / 1e6 FROM jobs WHERE lane = ? AND ended_us IS NOT NULL"
        " AND started_us IS NOT NULL ORDER BY number DESC LIMIT ?"
    )
    return [row[0] for row in connection.execute(sql, (lane, limit))]


def moved(connection: sqlite3.Connection, lane: str, since: int, now: datetime) -> None:
    """Tell those who wait behind job number `since`, which left the line or came into it, their new place."""
    sql = f"SELECT number, state FROM jobs WHERE {STANDING} {ORDER} LIMIT ?"
    front = connection.execute(sql, (lane, TOLD + 1)).fetchall()
    for ahead, row in enumerate(front):
        if ahead and row["number"] > since and row["state"] == JobState.PENDING:
            moved_up = NewEvent(EventType.LINE_MOVED, f"{ahead} ahead", details={"ahead": ahead})
            events.append(connection, row["number"], [moved_up], now)
