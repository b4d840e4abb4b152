"""`/status`: what serves where, and what is under way; or how far one job is."""

from __future__ import annotations

from bot.desk.answers.status import status_text
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.line import place_of
from bot.live import live_in
from bot.model import UNFINISHED, Job
from bot.shown import markdown
from bot.shown.view import see
from bot.store.jobs import JobFilter


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
    records = office.records
    live = await live_in(records.jobs, records.releases, records.audit, order.repository, only)
    jobs = await records.jobs.find(JobFilter(repository=order.repository, states=UNFINISHED))
    busy = [job for job in jobs if job.environment and only in {None, job.environment}]
    if only and not busy:
        await office.require_known(order, facts, only)
    text = status_text(order.repository, live, busy, office.links, office.locale, only)
    return f"{text}\n\n{office.overview(order.repository)}"
