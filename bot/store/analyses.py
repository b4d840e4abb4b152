"""Reports of analyses, and whose e-mail addresses are whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """The report of one repository that a job made. `body` is plain JSON."""

    job_id: str
    repository: str
    """`owner/name`."""
    ref: str
    """As it was asked for, or the default branch."""
    sha: str
    """The commit that was analysed."""
    made_at: datetime
    body: Mapping[str, Any]
    is_default: bool = False
    """Whether it is about the default branch."""
    is_passing: bool = False
    """Whether the next one of the same ref that nobody asked for takes its place."""
    repository_id: int = 0
    """GitHub's number; 0 where it was cloned without our app."""


class Analyses(Protocol):
    """Reports of contribution analyses, kept for good."""

    async def put(self, analysis: StoredAnalysis) -> None:
        """Keep it in place of an earlier one of the same job and repository. Repeatable."""

    async def of_job(self, job_id: str) -> list[StoredAnalysis]:
        """Oldest first: one, but several for a job about several repositories."""

    async def newest(self, repository: str, ref: str | None = None) -> StoredAnalysis | None:
        """By ref, or by full SHA; without one, of the default branch. The repository is found by names it had, too."""


class CommitLogins(Protocol):
    """GitHub logins of the addresses in commits, as GitHub told them."""

    async def known(self, emails: Sequence[str], since: datetime) -> dict[str, str | None]:
        """By address in lower case, those asked about since; None: GitHub knows nobody by it."""

    async def put(self, logins: Mapping[str, str | None], now: datetime) -> None:
        """Repeatable."""
