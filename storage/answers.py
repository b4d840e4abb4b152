"""Replies that are no job's report: kept with what asked for them, sent once."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import datetime

from bot.model import Repository
from bot.store.answers import Answer, SlackPlace
from storage.engine.database import Database
from storage.rows import from_json, to_json, to_us


def keep(connection: sqlite3.Connection, answer: Answer, delivery_seq: int) -> None:
    """Remember an answer to send; one whose key is known already is not kept twice."""
    connection.execute(
        "INSERT INTO answers (key, delivery_seq, repository_id, repository, installation_id, number, body, comment_id,"
        " reaction, check_sha, check_name, check_conclusion, slack)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        (
            answer.key,
            delivery_seq,
            answer.repository.id,
            answer.repository.full_name,
            answer.installation_id,
            answer.number,
            answer.body,
            answer.comment_id,
            answer.reaction,
            answer.check_sha,
            answer.check_name,
            answer.check_conclusion,
            to_json(dataclasses.asdict(answer.slack)) if answer.slack else None,
        ),
    )


def forget(connection: sqlite3.Connection, delivery_seq: int) -> None:
    """Forget the answers of a delivery that will be acted on anew."""
    connection.execute("DELETE FROM answers WHERE delivery_seq = ?", (delivery_seq,))


class SqlAnswers:
    """`bot.store.answers.Answers` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime, limit: int = 50) -> list[tuple[int, Answer, int]]:
        sql = "SELECT * FROM answers WHERE sent = 0 AND due_us <= ? ORDER BY id LIMIT ?"
        rows = await self._database.glance(lambda c: c.execute(sql, (to_us(now), limit)).fetchall())
        return [(row["id"], _answer(row), row["attempts"]) for row in rows]

    async def take(self, row_id: int, attempts: int, until: datetime) -> bool:
        sql = "UPDATE answers SET attempts = attempts + 1, due_us = ? WHERE id = ? AND attempts = ? AND sent = 0"
        return await self._database.write(lambda c: c.execute(sql, (to_us(until), row_id, attempts)).rowcount) == 1

    async def sent(self, row_id: int, note: str) -> None:
        sql = "UPDATE answers SET sent = 1, note = ? WHERE id = ?"
        await self._database.write(lambda c: c.execute(sql, (note, row_id)).rowcount)

    async def postpone(self, row_id: int, until: datetime, reason: str) -> None:
        sql = "UPDATE answers SET due_us = ?, note = ? WHERE id = ?"
        await self._database.write(lambda c: c.execute(sql, (to_us(until), reason, row_id)).rowcount)


def _answer(row: sqlite3.Row) -> Answer:
    return Answer(
        key=row["key"],
        repository=Repository(row["repository_id"], row["repository"]),
        installation_id=row["installation_id"],
        number=row["number"],
        body=row["body"],
        comment_id=row["comment_id"],
        reaction=row["reaction"],
        check_sha=row["check_sha"],
        check_name=row["check_name"],
        check_conclusion=row["check_conclusion"] or "action_required",
        slack=SlackPlace(**from_json(row["slack"])) if row["slack"] else None,
    )
