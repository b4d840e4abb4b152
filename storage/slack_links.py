"""Who is who: people in Slack and their GitHub accounts, linked by tickets that are good once."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime

from bot.store.answers import Answer
from bot.store.slack import LinkTicket, SlackLink, SlackUser
from storage import answers
from storage.engine.database import Database
from storage.rows import to_us

NO_DELIVERY = 0
"""Stands for the delivery of an answer that a web page led to."""


class SqlSlackLinks:
    """`bot.store.slack.SlackLinks` over the database. Of a ticket's secret only the hash is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: SlackUser) -> SlackLink | None:
        sql = "SELECT github_id, github_login FROM slack_links WHERE team_id = ? AND user_id = ?"
        row = await self._database.read(lambda c: c.execute(sql, (user.team_id, user.user_id)).fetchone())
        return None if row is None else SlackLink(user, row["github_id"], row["github_login"])

    async def people(self, github_id: int) -> list[SlackUser]:
        sql = "SELECT team_id, user_id FROM slack_links WHERE github_id = ? ORDER BY team_id, user_id"
        rows = await self._database.read(lambda c: c.execute(sql, (github_id,)).fetchall())
        return [SlackUser(row["team_id"], row["user_id"]) for row in rows]

    async def unlink(self, user: SlackUser) -> bool:
        return await self._database.write(lambda c: _unlink(c, user))

    async def offer(self, secret: str, ticket: LinkTicket, expires_at: datetime) -> None:
        sql = (
            "INSERT INTO slack_tickets (hash, team_id, user_id, user_name, team_name, channel, expires_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING"
        )
        user = ticket.user
        values = (_hash(secret), user.team_id, user.user_id, ticket.user_name, ticket.team_name, ticket.channel)
        await self._database.write(lambda c: c.execute(sql, (*values, to_us(expires_at))).rowcount)

    async def ticket(self, secret: str, now: datetime) -> LinkTicket | None:
        return await self._database.read(lambda c: _ticket(c, secret, now))

    async def redeem(self, secret: str, link: SlackLink, answer: Answer, now: datetime) -> bool:
        return await self._database.write(lambda c: _redeem(c, secret, link, answer, now))

    async def prune(self, now: datetime) -> int:
        sql = "DELETE FROM slack_tickets WHERE expires_us <= ?"
        return await self._database.write(lambda c: c.execute(sql, (to_us(now),)).rowcount)


def _unlink(connection: sqlite3.Connection, user: SlackUser) -> bool:
    who = (user.team_id, user.user_id)
    connection.execute("DELETE FROM slack_tickets WHERE team_id = ? AND user_id = ?", who)
    return connection.execute("DELETE FROM slack_links WHERE team_id = ? AND user_id = ?", who).rowcount == 1


def _ticket(connection: sqlite3.Connection, secret: str, now: datetime) -> LinkTicket | None:
    sql = "SELECT * FROM slack_tickets WHERE hash = ? AND expires_us > ?"
    row = connection.execute(sql, (_hash(secret), to_us(now))).fetchone()
    if row is None:
        return None
    return LinkTicket(SlackUser(row["team_id"], row["user_id"]), row["user_name"], row["team_name"], row["channel"])


def _redeem(connection: sqlite3.Connection, secret: str, link: SlackLink, answer: Answer, now: datetime) -> bool:
    ticket = _ticket(connection, secret, now)
    if ticket is None or ticket.user != link.user:
        return False
    connection.execute("DELETE FROM slack_tickets WHERE hash = ?", (_hash(secret),))
    connection.execute(
        "INSERT INTO slack_links (team_id, user_id, github_id, github_login, linked_us) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (team_id, user_id) DO UPDATE SET github_id = excluded.github_id,"
        " github_login = excluded.github_login, linked_us = excluded.linked_us",
        (link.user.team_id, link.user.user_id, link.github_id, link.github_login, to_us(now)),
    )
    answers.keep(connection, answer, NO_DELIVERY)
    return True


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).digest()
