"""The previews of pull requests: opened within a repository's limit, ended once, forgotten when nothing is left."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.errors import Refused
from bot.model import Repository
from bot.store.answers import Answer
from bot.store.changes import EndPreview, ExtendPreview, OpenPreview
from bot.store.previews import Preview
from storage import answers, audited, releases
from storage.engine.database import Database
from storage.rows import from_us, to_us

NO_DELIVERY = 0
STAYS_KNOWN = "stopped"
"""Why a preview ended, where it may not come back by itself while its pull request is open."""


def open_one(connection: sqlite3.Connection, wanted: OpenPreview, now: datetime) -> None:
    """Open it, or let one that is open last longer. Raises Refused("preview_ending" or "too_many_previews")."""
    place = (wanted.repository.id, wanted.number)
    known = _find(connection, *place)
    if known is not None and known.ending is not None and not known.down:
        raise Refused("preview_ending", environment=known.environment)
    others = "SELECT number FROM previews WHERE repository_id = ? AND number <> ? AND down = 0 ORDER BY number"
    taken = [row["number"] for row in connection.execute(others, place)]
    if len(taken) >= wanted.most:
        raise Refused("too_many_previews", most=wanted.most, open=[f"#{number}" for number in taken])
    connection.execute(
        "INSERT INTO previews (repository_id, number, repository, installation_id, opened_us, ends_us)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (repository_id, number) DO UPDATE SET repository = excluded.repository,"
        " installation_id = excluded.installation_id, ending = NULL, ended_by = NULL, down = 0,"
        " ends_us = CASE WHEN down = 1 THEN excluded.ends_us ELSE MAX(ends_us, excluded.ends_us) END",
        (*place, wanted.repository.full_name, wanted.installation_id, to_us(now), to_us(wanted.ends_at)),
    )


def extend(connection: sqlite3.Connection, wanted: ExtendPreview, now: datetime) -> None:
    """Let it last. Raises Refused("no_preview") when it ended meanwhile."""
    changed = connection.execute(
        "UPDATE previews SET ends_us = ? WHERE repository_id = ? AND number = ? AND ending IS NULL",
        (to_us(wanted.ends_at), wanted.repository_id, wanted.number),
    ).rowcount
    if not changed:
        raise Refused("no_preview", number=wanted.number)


def end(connection: sqlite3.Connection, wanted: EndPreview, now: datetime) -> bool:
    """End it; of one that is down already nothing stays known once its pull request is closed. False: nothing ended."""
    place = (wanted.repository_id, wanted.number)
    changed = connection.execute(
        "UPDATE previews SET ending = ?, ended_by = ? WHERE repository_id = ? AND number = ? AND ending IS NULL",
        (wanted.why, wanted.by, *place),
    ).rowcount
    known = _find(connection, *place)
    if changed and known is not None and wanted.why != STAYS_KNOWN:
        audited.preview_ended(connection, known, now)
    if not changed and wanted.why != STAYS_KNOWN:
        connection.execute(
            "UPDATE previews SET ending = ? WHERE repository_id = ? AND number = ?", (wanted.why, *place)
        )
        connection.execute("DELETE FROM previews WHERE repository_id = ? AND number = ? AND down = 1", place)
    return bool(changed)


class SqlPreviews:
    """`bot.store.previews.Previews` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, repository_id: int, number: int) -> Preview | None:
        return await self._database.read(lambda c: _find(c, repository_id, number))

    async def all_open(self) -> list[Preview]:
        return await self._list("SELECT * FROM previews WHERE ending IS NULL ORDER BY repository_id, number")

    async def ending(self) -> list[Preview]:
        return await self._list("SELECT * FROM previews WHERE ending IS NOT NULL AND down = 0 ORDER BY ends_us")

    async def end(self, end_: EndPreview, answer: Answer | None, now: datetime) -> bool:
        def unit(connection: sqlite3.Connection) -> bool:
            ended = end(connection, end_, now)
            if ended and answer is not None:
                answers.keep(connection, answer, NO_DELIVERY)
            return ended

        return await self._database.write(unit)

    async def is_down(self, preview: Preview) -> None:
        def unit(connection: sqlite3.Connection) -> None:
            place = (preview.repository.id, preview.number)
            releases.forget(connection, preview.repository.id, preview.environment)
            connection.execute("UPDATE previews SET down = 1 WHERE repository_id = ? AND number = ?", place)
            connection.execute(
                "DELETE FROM previews WHERE repository_id = ? AND number = ? AND ending <> ?", (*place, STAYS_KNOWN)
            )

        await self._database.write(unit)

    async def _list(self, sql: str) -> list[Preview]:
        rows = await self._database.read(lambda c: c.execute(sql).fetchall())
        return [_preview(row) for row in rows]


def _find(connection: sqlite3.Connection, repository_id: int, number: int) -> Preview | None:
    sql = "SELECT * FROM previews WHERE repository_id = ? AND number = ?"
    row = connection.execute(sql, (repository_id, number)).fetchone()
    return None if row is None else _preview(row)


def _preview(row: sqlite3.Row) -> Preview:
    return Preview(
        Repository(row["repository_id"], row["repository"]),
        row["installation_id"],
        row["number"],
        from_us(row["ends_us"]),
        row["ending"],
        row["ended_by"],
        bool(row["down"]),
    )
