"""Locks of environments: one row each, so that of two who lock at the same instant one is told of the other."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bot.audit import AuditEntry
from bot.errors import Refused
from bot.locks import Lock, locked, others
from bot.model import Origin, Repository
from bot.store.answers import Answer
from bot.store.changes import ReleaseLocks, TakeLock
from storage import answers, audit
from storage.audited import FACE_OF_WORK
from storage.engine.database import Database
from storage.rows import from_json, from_us, from_us_or_none, to_json, to_us

EVERY = ""
"""Stands for all environments of a repository."""
NO_DELIVERY = 0
HOLDS = "(until_us IS NULL OR until_us > ?)"


def take(connection: sqlite3.Connection, change: TakeLock, now: datetime) -> None:
    """Claim it, in place of the locks that are taken over. Raises Refused("environment_locked") for any other's."""
    lock, origin = change.lock, change.lock.origin
    standing = _of(connection, lock.repository.id, now)
    in_the_way = others(standing, lock.environment, origin.actor, origin.actor_id)
    strangers = [one for one in in_the_way if one not in change.over]
    if strangers:
        raise locked(strangers[0], lock.environment)
    for one in in_the_way:
        _delete(connection, one)
    _put(connection, lock)
    _tell(connection, change.notices)


def release(connection: sqlite3.Connection, change: ReleaseLocks, now: datetime) -> None:
    """End these very locks. Raises Refused("not_locked") when one is over, or another's by now."""
    for lock in change.locks:
        if not _delete(connection, lock):
            raise Refused("not_locked", environment=lock.name)
    _tell(connection, change.notices)


class SqlLocks:
    """`bot.store.locks.Locks` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, repository_id: int, now: datetime) -> list[Lock]:
        return await self._database.read(lambda c: _of(c, repository_id, now))

    async def named(self, repository: str, now: datetime) -> list[Lock]:
        sql = f"SELECT * FROM locks WHERE lower(repository) = ? AND {HOLDS} ORDER BY environment"
        values = (repository.lower(), to_us(now))
        return await self._database.read(lambda c: [_lock(row) for row in c.execute(sql, values)])

    async def expired(self, now: datetime) -> list[Lock]:
        sql = "SELECT * FROM locks WHERE until_us <= ? ORDER BY until_us"
        return await self._database.read(lambda c: [_lock(row) for row in c.execute(sql, (to_us(now),))])

    async def expire(self, lock: Lock, notices: Sequence[Answer], now: datetime) -> bool:
        return await self._database.write(lambda c: _expire(c, lock, notices, now))


def _of(connection: sqlite3.Connection, repository_id: int, now: datetime) -> list[Lock]:
    sql = f"SELECT * FROM locks WHERE repository_id = ? AND {HOLDS} ORDER BY environment"
    return [_lock(row) for row in connection.execute(sql, (repository_id, to_us(now)))]


def _put(connection: sqlite3.Connection, lock: Lock) -> None:
    """In place of one's own earlier one, or of one that is over."""
    connection.execute(
        "INSERT INTO locks (repository_id, environment, repository, since_us, until_us, reason, origin)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repository_id, environment) DO UPDATE SET"
        " repository = excluded.repository, since_us = excluded.since_us, until_us = excluded.until_us,"
        " reason = excluded.reason, origin = excluded.origin",
        (
            lock.repository.id,
            lock.environment or EVERY,
            lock.repository.full_name,
            to_us(lock.since),
            to_us(lock.until) if lock.until else None,
            lock.reason,
            to_json(dataclasses.asdict(lock.origin)),
        ),
    )


def _delete(connection: sqlite3.Connection, lock: Lock) -> bool:
    """This very one, as it was read."""
    sql = "DELETE FROM locks WHERE repository_id = ? AND environment = ? AND since_us = ?"
    values = (lock.repository.id, lock.environment or EVERY, to_us(lock.since))
    return connection.execute(sql, values).rowcount == 1


def _expire(connection: sqlite3.Connection, lock: Lock, notices: Sequence[Answer], now: datetime) -> bool:
    if not _delete(connection, lock):
        return False
    _tell(connection, notices)
    entry = AuditEntry(
        actor=lock.holder,
        actor_id=lock.origin.actor_id,
        face=FACE_OF_WORK,
        command="unlock",
        outcome="acted",
        reason="lock_expired",
        repository=lock.repository.full_name,
        rules=lock.facts(),
        environment=lock.environment,
    )
    audit.append(connection, entry, now)
    return True


def _tell(connection: sqlite3.Connection, notices: Sequence[Answer]) -> None:
    for notice in notices:
        answers.keep(connection, notice, NO_DELIVERY)


def _lock(row: sqlite3.Row) -> Lock:
    return Lock(
        Repository(row["repository_id"], row["repository"]),
        row["environment"] or None,
        from_us(row["since_us"]),
        from_us_or_none(row["until_us"]),
        row["reason"],
        Origin(**from_json(row["origin"])),
    )
