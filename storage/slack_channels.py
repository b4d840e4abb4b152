"""What channels in Slack are about."""

from __future__ import annotations

from datetime import datetime

from bot.model import Repository
from bot.store import ChannelBinding
from storage.database import Database
from storage.rows import to_us


class SqlSlackChannels:
    """`bot.store.SlackChannels` over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, channel: str) -> ChannelBinding | None:
        sql = "SELECT repository_id, repository, environment FROM slack_channels WHERE channel = ?"
        row = await self._database.read(lambda c: c.execute(sql, (channel,)).fetchone())
        if row is None:
            return None
        return ChannelBinding(Repository(row["repository_id"], row["repository"]), row["environment"])

    async def bind(self, channel: str, binding: ChannelBinding, now: datetime) -> None:
        sql = (
            "INSERT INTO slack_channels (channel, repository_id, repository, environment, bound_us)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE SET repository_id = excluded.repository_id,"
            " repository = excluded.repository, environment = excluded.environment, bound_us = excluded.bound_us"
        )
        repository = binding.repository
        values = (channel, repository.id, repository.full_name, binding.environment, to_us(now))
        await self._database.write(lambda c: c.execute(sql, values).rowcount)

    async def unbind(self, channel: str) -> bool:
        sql = "DELETE FROM slack_channels WHERE channel = ?"
        return await self._database.write(lambda c: c.execute(sql, (channel,)).rowcount) == 1
