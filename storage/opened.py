"""Opens the store: migrations, then every aggregate over one database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.store.store import Store
from storage.analyses import SqlAnalyses
from storage.answers import SqlAnswers
from storage.approvals import SqlApprovals
from storage.audit import SqlAudit
from storage.commit_logins import SqlCommitLogins
from storage.connections import SqlConnections
from storage.deliveries import SqlDeliveries
from storage.engine.connection import BUSY_TIMEOUT_S
from storage.engine.database import Database
from storage.engine.migrations import migrate
from storage.jobs.jobs import SqlJobs
from storage.keys import SqlApiKeys
from storage.locks import SqlLocks
from storage.previews import SqlPreviews
from storage.releases import SqlReleases
from storage.reports import SqlReports
from storage.sealing import Sealer
from storage.secrets import SqlSecrets
from storage.slack_channels import SqlSlackChannels
from storage.slack_links import SqlSlackLinks


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The store and the database under it."""

    store: Store
    database: Database

    async def close(self) -> None:
        """Write what waits and close. Repeatable."""
        await self.database.close()


async def open_store(
    url: str,
    *,
    secret_key: bytes | None = None,
    max_waiting: int = 1000,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> OpenStore:
    """Bring the database up to date and open it. Raises UserMistake("bad_setting") or Transient."""
    await asyncio.to_thread(migrate, url)
    database = Database(url, busy_timeout_s=busy_timeout_s)
    sealer = Sealer(secret_key)
    store = Store(
        deliveries=SqlDeliveries(database, max_waiting),
        jobs=SqlJobs(database, max_waiting),
        releases=SqlReleases(database),
        previews=SqlPreviews(database),
        reports=SqlReports(database),
        answers=SqlAnswers(database),
        keys=SqlApiKeys(database),
        secrets=SqlSecrets(database, sealer),
        slack_links=SqlSlackLinks(database),
        slack_channels=SqlSlackChannels(database),
        analyses=SqlAnalyses(database),
        commit_logins=SqlCommitLogins(database),
        connections=SqlConnections(database, sealer),
        approvals=SqlApprovals(database),
        audit=SqlAudit(database),
        locks=SqlLocks(database),
    )
    return OpenStore(store, database)
