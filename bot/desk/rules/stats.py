"""`/stats`: the four figures of delivery, for one environment or each, from what this server deployed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.desk.answers.dora import Figures, Shipment, figures
from bot.desk.answers.stats import stats_text
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.github.commit_times import times_before
from bot.model import EventType, Job, JobKind, JobState
from bot.previews import pull_of
from bot.store.jobs import JobFilter

MOST = 500
"""Deployments of an environment that are looked at, the newest."""


async def stats(office: Office, order: Order, facts: Facts) -> Outcome:
    """Previews have no figures. Raises Refused("nothing_deployed") where nothing ever was."""
    named = order.command.get("environment")
    known = await office.records.releases.environments(order.repository.id)
    wanted = [name for name in known if pull_of(name) is None and named in {None, name}]
    if not wanted:
        raise Refused("nothing_deployed", environment=named, known=known)
    found = [await _of(office, order, facts, name) for name in wanted]
    return Outcome("acted", "stats_told", answers=(office.answer(order, stats_text(found, office.say)),))


async def _of(office: Office, order: Order, facts: Facts, environment: str) -> Figures:
    repository = order.repository
    done = (JobState.COMPLETED, JobState.ROLLED_BACK)
    asked = JobFilter(repository, environment, JobKind.DEPLOY, states=done, limit=MOST)
    jobs = [job for job in await office.records.jobs.find(asked) if not job.spec.get("noop")]
    back = JobFilter(repository, environment, JobKind.ROLLBACK, states=(JobState.COMPLETED,), limit=MOST)
    rollbacks = [job.ended_at for job in await office.records.jobs.find(back) if job.ended_at]
    releases = await office.records.releases.recent(order.repository.id, environment, MOST)
    abandoned = {release.job_id for release in releases if release.abandoned}
    shipments = [await _shipment(office, job, abandoned, rollbacks) for job in jobs]
    committed = await times_before(facts.client, jobs[0].sha) if jobs else {}
    return figures(environment, shipments, committed, office.clock())


async def _shipment(office: Office, job: Job, abandoned: set[str], rollbacks: Sequence[datetime]) -> Shipment:
    ended = job.ended_at or job.created_at
    if job.state is JobState.ROLLED_BACK:
        return Shipment(job.sha, await _took_traffic(office, job), ended, completed=False)
    lost = min((at for at in rollbacks if at > ended), default=None) if job.id in abandoned else None
    return Shipment(job.sha, ended, lost)


async def _took_traffic(office: Office, job: Job) -> datetime:
    """When the first of it went to the new version."""
    shifts = (one.at for one in await office.records.jobs.story(job.id) if one.type is EventType.TRAFFIC_SHIFTED)
    return next(shifts, job.started_at or job.created_at)
