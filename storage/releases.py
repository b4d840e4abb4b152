"""What went live in each environment: versions counted within it, and one release at most that is active."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.model import Release
from bot.store.jobs import NewRelease
from bot.store.releases import KEPT_RELEASES
from storage.engine.database import Database
from storage.rows import from_json, from_us, to_json, to_us


def record(connection: sqlite3.Connection, new: NewRelease, now: datetime) -> None:
    """Keep a release under the next version of its environment and make it the active one."""
    place = (new.repository_id, new.environment)
    _deactivate(connection, *place)
    version = connection.execute(
        "SELECT COALESCE(MAX(version), 0) + 1 FROM releases WHERE repository_id = ? AND environment = ?", place
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO releases (repository_id, environment, version, job_id, sha, image, instance_id, spec, live_us,"
        " active) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (*place, version, new.job_id, new.sha, new.image, new.instance_id, to_json(new.spec), to_us(now)),
    )


def activate(connection: sqlite3.Connection, release_id: int) -> None:
    """Make an old release the active one; a newer one it takes the place of is marked as abandoned. Repeatable.

    Raises ValueError for an unknown one.
    """
    row = connection.execute("SELECT * FROM releases WHERE id = ?", (release_id,)).fetchone()
    if row is None:
        raise ValueError(f"no release {release_id}")
    place = (row["repository_id"], row["environment"])
    connection.execute(
        "UPDATE releases SET abandoned = 1 WHERE repository_id = ? AND environment = ? AND active = 1 AND version > ?",
        (*place, row["version"]),
    )
    _deactivate(connection, *place)
    connection.execute("UPDATE releases SET active = 1, abandoned = 0 WHERE id = ?", (release_id,))


class SqlReleases:
    """`bot.store.releases.Releases` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def active(self, repository_id: int, environment: str) -> Release | None:
        sql = "SELECT * FROM releases WHERE repository_id = ? AND environment = ? AND active = 1"
        found = await self._list(sql, repository_id, environment)
        return found[0] if found else None

    async def recent(self, repository_id: int, environment: str, limit: int = 20) -> list[Release]:
        sql = "SELECT * FROM releases WHERE repository_id = ? AND environment = ? ORDER BY version DESC LIMIT ?"
        return await self._list(sql, repository_id, environment, limit)

    async def serving(self, repository_id: int, limit: int = 500) -> list[Release]:
        sql = "SELECT * FROM releases WHERE repository_id = ? AND active = 1 ORDER BY environment LIMIT ?"
        return await self._list(sql, repository_id, limit)

    async def all_active(self) -> list[Release]:
        return await self._list("SELECT * FROM releases WHERE active = 1 ORDER BY repository_id, environment")

    async def of_commit(self, repository_id: int, sha: str) -> list[Release]:
        sql = "SELECT * FROM releases WHERE repository_id = ? AND sha = ? ORDER BY id DESC"
        return await self._list(sql, repository_id, sha)

    async def with_image(self, image: str) -> list[Release]:
        return await self._list("SELECT * FROM releases WHERE image = ? ORDER BY id DESC", image)

    async def is_kept(self, release_id: int) -> bool:
        sql = (
            "SELECT 1 FROM releases AS one WHERE id = ? AND (active = 1 OR (SELECT COUNT(*) FROM releases AS later"
            " WHERE later.repository_id = one.repository_id AND later.environment = one.environment"
            " AND later.version > one.version) < ?)"
        )
        row = await self._database.read(lambda c: c.execute(sql, (release_id, KEPT_RELEASES)).fetchone())
        return row is not None

    async def environments(self, repository_id: int) -> list[str]:
        sql = "SELECT DISTINCT environment FROM releases WHERE repository_id = ? ORDER BY environment"
        rows = await self._database.read(lambda connection: connection.execute(sql, (repository_id,)).fetchall())
        return [row["environment"] for row in rows]

    async def retire(self, repository_id: int, environment: str) -> None:
        await self._database.write(lambda c: _deactivate(c, repository_id, environment))

    async def _list(self, sql: str, *values: object) -> list[Release]:
        rows = await self._database.read(lambda connection: connection.execute(sql, values).fetchall())
        return [_release(row) for row in rows]


def forget(connection: sqlite3.Connection, repository_id: int, environment: str) -> None:
    """Forget all releases of an environment that is gone for good."""
    connection.execute("DELETE FROM releases WHERE repository_id = ? AND environment = ?", (repository_id, environment))


def _deactivate(connection: sqlite3.Connection, repository_id: int, environment: str) -> None:
    connection.execute(
        "UPDATE releases SET active = 0 WHERE repository_id = ? AND environment = ? AND active = 1",
        (repository_id, environment),
    )


def _release(row: sqlite3.Row) -> Release:
    return Release(
        id=row["id"],
        repository_id=row["repository_id"],
        environment=row["environment"],
        version=row["version"],
        job_id=row["job_id"],
        sha=row["sha"],
        image=row["image"],
        instance_id=row["instance_id"],
        spec=from_json(row["spec"]),
        live_at=from_us(row["live_us"]),
        active=bool(row["active"]),
        abandoned=bool(row["abandoned"]),
    )
