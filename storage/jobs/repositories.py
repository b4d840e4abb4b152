"""Which repository is meant by a name, also by one it had before: GitHub's number of it survives a rename."""

from __future__ import annotations

import sqlite3

from bot.model import Repository
from bot.store.jobs import JobFilter
from storage.jobs import lists


def called(connection: sqlite3.Connection, name: str) -> Repository | None:
    """By the newest job of that name, without case; its name now is that of the newest job of its number.

    One with a number goes before one without, which was only cloned from an address of that name.
    """
    named = "SELECT repository_id, repository FROM jobs WHERE lower(repository) = ?"
    for numbered in (" AND repository_id > 0", ""):
        row = connection.execute(f"{named}{numbered} ORDER BY number DESC LIMIT 1", (name.lower(),)).fetchone()
        if row is not None:
            known = Repository(row["repository_id"], row["repository"])
            return lists.listed(connection, JobFilter(known, limit=1))[0].repository
    return None
