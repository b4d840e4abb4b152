"""Held jobs: one whose time is over, whose commit is the head no more or whose checks failed ends; others wait on."""

from __future__ import annotations

import logging

from bot import messages
from bot.approvals import EndHeld
from bot.clock import Clock
from bot.errors import Permanent, Refused, Transient
from bot.gates.facts import facts_of_job
from bot.gates.records import Records
from bot.gates.required_checks import verdict
from bot.github.api import GitHub
from bot.jobs.deploy.plan import Plan
from bot.model import Job, JobState

log = logging.getLogger("shipmate.reconcile")


class HeldJobs:
    """Looks at every held job."""

    def __init__(self, github: GitHub, records: Records, clock: Clock, locale: str = "en") -> None:
        self._github = github
        self._records = records
        self._clock = clock
        self._locale = locale

    async def look(self) -> int:
        """Answers how many ended or wait for checks no more."""
        return sum([await self._look_at(job) for job in await self._records.jobs.held()])

    async def _look_at(self, job: Job) -> bool:
        try:
            await self._require_time(job)
            await self._require_head(job)
            went_on = bool(job.hold and job.hold.after) and await self._see_before(job)
            return (bool(job.hold and job.hold.checks) and await self._see_checks(job)) or went_on
        except (Refused, Permanent) as over:
            text = messages.failure(self._locale, over.code, over.facts)
            log.info("a held job ends", extra={"job": job.id, "code": over.code})
            return await self._records.jobs.end_held(EndHeld(job.id, over.code, text), self._clock())
        except Transient as passing:
            log.warning("a held job could not be looked at", extra={"job": job.id, "code": passing.code})
            return False

    async def _require_time(self, job: Job) -> None:
        if job.hold is not None and self._clock() >= job.hold.until:
            raise Refused("approval_expired", environment=job.environment)

    async def _require_head(self, job: Job) -> None:
        """By the ledger of heads that deliveries told: no question to GitHub."""
        pull = Plan.from_json(job.spec).follows_pull
        told = await self._records.deliveries.latest_head(job.repository.id, pull) if pull else None
        if told is not None and told.sha != job.sha:
            raise Refused("ref_changed", before=job.sha[:7], now=told.sha[:7])

    async def _see_before(self, job: Job) -> bool:
        """Whether the job it comes after is completed. Raises Refused("before_failed") where it ended otherwise."""
        before = await self._records.jobs.get(job.hold.after or "") if job.hold else None
        if before is None or (before.state.is_final and before.state is not JobState.COMPLETED):
            raise Refused("before_failed", environment=job.environment, before=before.environment if before else None)
        if not before.state.is_final:
            return False
        return await self._records.jobs.turn_came(job.id, self._clock())

    async def _see_checks(self, job: Job) -> bool:
        """Whether those it waits for have all passed. Raises Refused for one that failed."""
        facts = await facts_of_job(self._github, self._records.connections, job)
        checks = job.hold.checks if job.hold else ()
        try:
            judged = verdict(await facts.checks(job.sha), checks)
        except Refused as unreadable:
            raise Transient("github_unavailable", reason=unreadable.code) from unreadable
        if judged.failed:
            raise Refused("checks_failed", checks=list(judged.failed), sha=job.sha[:7])
        if judged.missing or judged.pending:
            return False
        return await self._records.jobs.checks_passed(job.id, self._clock())
