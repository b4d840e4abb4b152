"""Decides what GitHub's "Re-run all checks" of a commit means: what ended badly is tried again, the rest shown again.

A deployment is no test. GitHub sends this to every app with a check on the commit, whichever check was meant: to deploy
again what went well could put an old commit back live that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.deliveries.wishes import ClickButton, RerunAll
from bot.model import Job, JobState
from bot.shown.checks import check_name
from bot.store.changes import ShowAgain
from bot.store.jobs import JobFilter, Jobs

ENDED_BADLY = frozenset({JobState.FAILED, JobState.TIMED_OUT, JobState.CANCELLED, JobState.ROLLED_BACK})
MOST = 100
"""Jobs of one commit that are looked at."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """The clicks it stands for, and the check runs GitHub waits for that are only shown again."""

    clicks: tuple[ClickButton, ...]
    shown: tuple[ShowAgain, ...]


async def rerun_of(jobs: Jobs, wish: RerunAll) -> Rerun:
    """By the newest job of each check. GitHub opens the whole suite again, so that all of its checks must end anew."""
    found = await jobs.find(JobFilter(repository=wish.repository, sha=wish.sha, limit=MOST))
    newest = _newest_of_each_check(found)
    clicks = [_click(wish, job) for job in newest if job.state in ENDED_BADLY]
    shown = [ShowAgain(job.id) for job in found if job not in newest or job.state not in ENDED_BADLY]
    return Rerun(tuple(clicks), tuple(shown))


def _newest_of_each_check(jobs: Sequence[Job]) -> list[Job]:
    """`jobs` come newest first."""
    newest: dict[str, Job] = {}
    for job in jobs:
        newest.setdefault(check_name(job), job)
    return list(newest.values())


def _click(wish: RerunAll, job: Job) -> ClickButton:
    """As if its own "Re-run" had been clicked."""
    return ClickButton(
        wish.repository,
        wish.installation_id,
        job.id,
        "retry",
        wish.actor,
        wish.actor_id,
        f"{wish.key}-{job.id}",
    )
