"""Check runs of ours that GitHub still shows as running while their job has ended, or is not known any more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.clock import Clock
from bot.errors import Permanent
from bot.github.api import GitHub
from bot.github.app import Installation, identity, installations, installed_repositories
from bot.github.checks import CheckReport, CheckRun, list_check_runs, update_check_run
from bot.github.client.client import Client
from bot.github.permissions import REPORT
from bot.github.pulls import list_open_pulls
from bot.github.repository import branch_head, get_repository
from bot.model import Repository
from bot.store.jobs import Jobs
from bot.store.reports import Reports

MOST_REPOSITORIES = 200
MOST_PULLS = 30
STATUSES = ("queued", "in_progress")

log = logging.getLogger("shipmate.reconcile")


class DanglingChecks:
    """Looks at the heads people look at: the default branch and the open pull requests of each repository."""

    def __init__(self, github: GitHub, jobs: Jobs, reports: Reports, clock: Clock) -> None:
        self._github = github
        self._jobs = jobs
        self._reports = reports
        self._clock = clock

    async def look(self) -> int:
        """Mend every dangling check run; answers how many there were."""
        app_id = (await identity(self._github.app)).id
        mended = 0
        for installation in await installations(self._github.app):
            if installation.suspended:
                continue
            for repository in await self._repositories(installation):
                with _others_go_on(repository.full_name):
                    mended += await self._look_at(installation.id, repository, app_id)
        return mended

    async def _repositories(self, installation: Installation) -> list[Repository]:
        everywhere = self._github.installation(installation.id, {"metadata": "read"})
        found: list[Repository] = []
        with _others_go_on(installation.account):
            found = await installed_repositories(everywhere)
        return found[:MOST_REPOSITORIES]

    async def _look_at(self, installation_id: int, repository: Repository, app_id: int) -> int:
        client = self._github.repository(installation_id, repository, REPORT)
        mended = 0
        for sha in await _heads(client):
            for status in STATUSES:
                for run in await list_check_runs(client, sha, status=status, app_id=app_id, every=True):
                    mended += await self._mend(client, run)
        return mended

    async def _mend(self, client: Client, run: CheckRun) -> int:
        job = await self._jobs.get(run.external_id)
        if job is not None and not job.state.is_final:
            return 0
        if job is not None:
            await self._reports.rewind("check_run", job.id)
        else:
            await update_check_run(client, run.id, CheckReport(conclusion="cancelled", completed_at=self._clock()))
        log.warning("mended a dangling check run", extra={"check_run": run.id, "job": run.external_id})
        return 1


@contextmanager
def _others_go_on(name: str) -> Iterator[None]:
    """What is gone, or closed to us, is passed by."""
    try:
        yield
    except Permanent as refused:
        log.info("check runs cannot be looked at", extra={"of": name, "code": refused.code})


async def _heads(client: Client) -> list[str]:
    default = await branch_head(client, (await get_repository(client)).default_branch)
    pulls = await list_open_pulls(client, most=MOST_PULLS)
    return list(dict.fromkeys([*([default.sha] if default else []), *(pull.head_sha for pull in pulls)]))
