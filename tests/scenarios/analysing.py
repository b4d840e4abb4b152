"""Asks for analyses in a world, and looks at what came of them."""

from __future__ import annotations

from typing import Any

from bot.clock import utc_now
from bot.jobs.analysis.plan import AnalysisPlan, Target
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store
from bot.jobs.analysis.submit import JobQueue
from bot.model import Job, Origin
from tests.world import REPO, World


async def target(world: World, ref: str = "main", **more: Any) -> Target:
    """The world's repository at a branch, as the app finds it."""
    repository, installation = world.github.repository(REPO), world.github.installation("acme")
    given = {"repository_id": repository.id, "installation_id": installation.id, "is_default": ref == "main", **more}
    return Target(REPO, ref=ref, sha=await world.github.head(REPO, ref), **given)


async def asked(world: World, *targets: Target, **plan: Any) -> Job:
    """An analysis taken on."""
    wanted = targets or (await target(world),)
    origin = Origin("api", "robot", wanted[0].installation_id)
    job, _ = await JobQueue(world.store.jobs, utc_now).submit(AnalysisPlan(tuple(wanted), **plan), origin)
    return job


async def analysed(world: World, *targets: Target, **plan: Any) -> Job:
    """An analysis that has ended."""
    job = await asked(world, *targets, **plan)
    await world.settle()
    ended = await world.store.jobs.get(job.id)
    assert ended is not None
    return ended


async def report_of(world: World, job: Job) -> Report:
    """The only report a job kept."""
    (kept,) = await world.store.analyses.of_job(job.id)
    return from_store(kept.body)
