"""Removes what people lent an analysis that is not to be: tokens sealed for one that was refused, cancelled or lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.clock import Clock
from bot.jobs.analysis.plan import TOKENS, AnalysisPlan
from bot.model import UNFINISHED, JobKind
from bot.store.jobs import JobFilter, Jobs
from bot.store.keys import Secrets

SPARED = timedelta(hours=1)
"""A token is sealed a moment before its analysis is taken on."""
PAGE = 500

log = logging.getLogger("shipmate.reconcile")


class LentTokens:
    """An analysis removes its own token when it ends; this finds those that no analysis will."""

    def __init__(self, secrets: Secrets, jobs: Jobs, clock: Clock) -> None:
        self._secrets = secrets
        self._jobs = jobs
        self._clock = clock

    async def look(self) -> int:
        """Answers how many were removed."""
        old = await self._secrets.put_before(TOKENS, self._clock() - SPARED)
        needed = await self._needed() if old else set[str]()
        removed = [name for name in old if name not in needed and await self._secrets.remove(TOKENS, name)]
        if removed:
            log.info("tokens that no analysis needs were removed", extra={"count": len(removed)})
        return len(removed)

    async def _needed(self) -> set[str]:
        """By every analysis that has not ended, however many there are."""
        needed, before = set[str](), None
        while True:
            which = JobFilter(kind=JobKind.ANALYSIS, states=UNFINISHED, before=before, limit=PAGE)
            jobs = await self._jobs.find(which)
            needed |= {AnalysisPlan.from_json(job.spec).token_name for job in jobs}
            if len(jobs) < PAGE:
                return needed
            before = jobs[-1].id
