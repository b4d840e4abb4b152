"""The trail of what was asked, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.audit import AuditEntry, AuditRecord, Head, Verdict


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records to read; None means any. `since` is the first moment meant, `until` the first no more meant."""

    repository: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """Who asked for what and what was decided: append-only, each record bound to the one before."""

    async def add(self, entry: AuditEntry, now: datetime) -> None:
        """Of what no delivery led to; what one led to is added when that is settled."""

    async def page(self, which: AuditFilter, after: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Those after record number `after`, oldest first."""

    async def of_job(self, job_id: str) -> list[AuditRecord]:
        """Oldest first."""

    async def of_jobs(self, job_ids: Sequence[str], command: str) -> list[AuditRecord]:
        """What one command did to any of these jobs, oldest first."""

    async def newest(self, repository: str, number: int | None, limit: int) -> list[AuditRecord]:
        """Of a repository, or of what was said on one pull request or issue of it, newest first."""

    async def verify(self, noted: Head | None = None) -> Verdict:
        """Look through all of it; `noted` is a record's number and hash that were written down elsewhere."""
