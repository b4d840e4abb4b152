"""What serves in a repository's environments: each release, who brought it there, and what was found of it since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.audit import AuditRecord
from bot.jobs.deploy.rollout.finding import AS_BELIEVED, COMMAND, Finding, standing
from bot.model import Job, JobKind, JobState, Release, Repository
from bot.store.audit import Audit
from bot.store.jobs import JobFilter, Jobs
from bot.store.releases import Releases

MOST_ROLLBACKS = 500
"""Done rollbacks of a repository that are looked at for those thanks to which something serves."""


@dataclass(frozen=True, slots=True)
class Live:
    """A release that serves, the job that brought it, where that is known, and what was found of it since."""

    release: Release
    job: Job | None
    finding: Finding = AS_BELIEVED
    brought_back: Job | None = None
    """The rollback thanks to which it serves again."""

    @property
    def since(self) -> datetime:
        """When it began to serve: a rollback begins that anew."""
        return self.brought_back.ended_at if self.brought_back and self.brought_back.ended_at else self.release.live_at

    @property
    def bringer(self) -> Job | None:
        """The job that made it serve last."""
        return self.brought_back or self.job

    @property
    def url(self) -> str | None:
        """Where it can be opened."""
        return self.job.result.get("url") if self.job else None


async def live_in(
    jobs: Jobs, releases: Releases, audit: Audit, repository: Repository, only: str | None = None
) -> list[Live]:
    """All that serves there, or in `only` that environment, by the environment's name; four queries however many."""
    found = await releases.serving(repository.id)
    active = [release for release in found if only in {None, release.environment}]
    ids = [release.job_id for release in active]
    brought, trail = await jobs.several(ids), _by_job(await audit.of_jobs(ids, COMMAND))
    done = JobFilter(repository, only, JobKind.ROLLBACK, (JobState.COMPLETED,), limit=MOST_ROLLBACKS)
    back = _newest(await jobs.find(done))
    return [
        Live(one, brought.get(one.job_id), standing(trail.get(one.job_id, ())), _to(one, back.get(one.environment)))
        for one in active
    ]


def _by_job(records: Iterable[AuditRecord]) -> dict[str, list[AuditRecord]]:
    found: dict[str, list[AuditRecord]] = {}
    for record in records:
        found.setdefault(record.entry.job_id or "", []).append(record)
    return found


def _newest(newest_first: Sequence[Job]) -> dict[str, Job]:
    """Of each environment the newest one."""
    return {job.environment: job for job in reversed(newest_first)}


def _to(release: Release, rollback: Job | None) -> Job | None:
    """The rollback, if it was to this release."""
    return rollback if rollback and rollback.spec.get("release_id") == release.id else None
