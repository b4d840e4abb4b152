"""`/status`: what serves where, and what is under way."""

from __future__ import annotations

from bot.desk.facts import Facts
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.status import status_text
from bot.model import UNFINISHED
from bot.store import JobFilter


async def status(office: Office, order: Order, facts: Facts) -> Outcome:
    """One environment, or all that serve something or are being deployed to."""
    only = order.command.get("environment")
    releases = office.records.releases
    names = await releases.environments(order.repository.id)
    active = [await releases.active(order.repository.id, name) for name in names]
    busy = await office.records.jobs.find(JobFilter(repository=order.repository.full_name, states=UNFINISHED))
    text = status_text(
        order.repository,
        [release for release in active if release and only in {None, release.environment}],
        [job for job in busy if job.environment and only in {None, job.environment}],
        office.links,
        office.locale,
    )
    return Outcome("acted", "status_told", answers=(office.answer(order, text),))
