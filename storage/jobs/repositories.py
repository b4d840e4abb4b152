"""Which repository is meant by a name, also by one it had before: GitHub's number of it survives a rename."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.model import Repository
from bot.store.changes import NameChange
from bot.store.jobs import JobFilter
from storage.jobs import lists
from storage.rows import from_us, to_us


def note(connection: sqlite3.Connection, change: NameChange, now: datetime) -> None:
    """Keep the name that was told last; one that is settled late never brings an earlier one back."""
    connection.execute(
        "INSERT INTO repository_names (repository_id, name, noted_us) VALUES (?, ?, ?)"
        " ON CONFLICT (repository_id) DO UPDATE SET name = excluded.name, noted_us = excluded.noted_us"
        " WHERE excluded.noted_us >= repository_names.noted_us",
        (change.repository.id, change.repository.full_name, to_us(change.received_at)),
    )


def called(connection: sqlite3.Connection, name: str) -> Repository | None:
    """The one that GitHub told is called so, else that of the newest job of that name; by the name it has now.

    Without case. One with a number goes before one without, which was only cloned from an address of that name.
    """
    noted = (
        "SELECT repository_id, name AS repository FROM repository_names WHERE lower(name) = ? ORDER BY noted_us DESC"
    )
    named = "SELECT repository_id, repository FROM jobs WHERE lower(repository) = ?"
    newest = " ORDER BY number DESC LIMIT 1"
    for sql in (noted, f"{named} AND repository_id > 0{newest}", f"{named}{newest}"):
        row = connection.execute(sql, (name.lower(),)).fetchone()
        if row is not None:
            return named_now(connection, Repository(row["repository_id"], row["repository"]))
    return None


def named_now(connection: sqlite3.Connection, known: Repository) -> Repository:
    """By what GitHub told it is called, or by its newest job's name, whichever is later."""
    newest = lists.listed(connection, JobFilter(known, limit=1))
    told = connection.execute("SELECT * FROM repository_names WHERE repository_id = ?", (known.id,)).fetchone()
    if told is not None and (not newest or from_us(told["noted_us"]) >= newest[0].created_at):
        return Repository(known.id, told["name"])
    return newest[0].repository if newest else known
