"""What channels in Slack are about."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.model import Repository
from bot.store.slack import BoundChannel, ChannelBinding, Noise
from storage.engine.database import Database
from storage.rows import from_us, to_us


class SqlSlackChannels:
    """`bot.store.slack.SlackChannels` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, channel: str) -> ChannelBinding | None:
        sql = "SELECT * FROM slack_channels WHERE channel = ?"
        row = await self._database.read(lambda c: c.execute(sql, (channel,)).fetchone())
        return None if row is None else _binding(row)

    async def bind(self, channel: str, binding: ChannelBinding, now: datetime) -> None:
        sql = (
            "INSERT INTO slack_channels (channel, repository_id, repository, environment, noise, bound_us)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE SET repository_id = excluded.repository_id,"
            " repository = excluded.repository, environment = excluded.environment, noise = excluded.noise,"
            " bound_us = excluded.bound_us"
        )
        repository = binding.repository
        values = (
            channel,
            repository.id,
            repository.full_name,
            binding.environment,
            binding.noise.value,
            to_us(now),
        )
        await self._database.write(lambda c: c.execute(sql, values).rowcount)

    async def about(self, repository_id: int) -> list[BoundChannel]:
        sql = "SELECT * FROM slack_channels WHERE repository_id = ? AND noise <> 'off' ORDER BY channel"
        rows = await self._database.read(lambda c: c.execute(sql, (repository_id,)).fetchall())
        return [BoundChannel(row["channel"], _binding(row), from_us(row["bound_us"])) for row in rows]

    async def unbind(self, channel: str) -> bool:
        sql = "DELETE FROM slack_channels WHERE channel = ?"
        return await self._database.write(lambda c: c.execute(sql, (channel,)).rowcount) == 1


def _binding(row: sqlite3.Row) -> ChannelBinding:
    repository = Repository(row["repository_id"], row["repository"])
    return ChannelBinding(repository, row["environment"], Noise(row["noise"]))
