"""`/status`: what serves where, and what is under way; or how far one job is."""

from __future__ import annotations

from bot.desk.answers.status import Live, status_text
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.jobs.deploy.rollout.finding import standing
from bot.line import place_of
from bot.model import UNFINISHED, Job, JobKind, JobState, Release, Repository
from bot.shown import markdown
from bot.shown.view import see
from bot.store.jobs import JobFilter, Jobs


async def status(office: Office, order: Order, facts: Facts) -> Outcome:
    """One job, one environment, or all that serve something or are being deployed to. Raises Refused."""
    if order.command.get("job"):
        text = await _job_text(office, await office.require_job(order))
    else:
        text = await _environments_text(office, order, facts, order.command.get("environment"))
    return Outcome("acted", "status_told", answers=(office.answer(order, text),))


async def _job_text(office: Office, job: Job) -> str:
    """As its check run shows it."""
    jobs = office.records.jobs
    place = await place_of(jobs, job, office.clock())
    view = see(job, await jobs.story(job.id), office.links.job(job.id), place=place)
    return markdown.summary(view, office.locale)


async def _environments_text(office: Office, order: Order, facts: Facts, only: str | None) -> str:
    releases = office.records.releases
    names = await releases.environments(order.repository.id)
    active = [await releases.active(order.repository.id, name) for name in names if only in {None, name}]
    jobs = await office.records.jobs.find(JobFilter(repository=order.repository.full_name, states=UNFINISHED))
    busy = [job for job in jobs if job.environment and only in {None, job.environment}]
    if only and not busy:
        await office.require_known(order, facts, only)
    live = [await _live(office, order.repository, release) for release in active if release]
    return status_text(order.repository, live, busy, office.links, office.locale, only)


async def _live(office: Office, repository: Repository, release: Release) -> Live:
    jobs = office.records.jobs
    found = standing(await office.records.audit.of_job(release.job_id))
    return Live(release, await jobs.get(release.job_id), found, await _brought_back(jobs, repository, release))


async def _brought_back(jobs: Jobs, repository: Repository, release: Release) -> Job | None:
    """The rollback thanks to which a release serves: the newest one that was done, if it was to this release."""
    done = JobFilter(repository.full_name, release.environment, JobKind.ROLLBACK, (JobState.COMPLETED,), limit=1)
    newest = next(iter(await jobs.find(done)), None)
    return newest if newest and newest.spec.get("release_id") == release.id else None
