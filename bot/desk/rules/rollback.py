"""`/rollback`: an earlier release comes back as it was, at once and without a build."""

from __future__ import annotations

from bot.desk.admission import admitted
from bot.desk.earlier import LOOKED_AT, pick_release
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import rollback_request
from bot.gates import policy
from bot.gates.facts import Facts


async def rollback(office: Office, order: Order, facts: Facts) -> Outcome:
    """The release that was named, else the last good one. Raises Refused where there is none."""
    config = await office.base_config(order, facts)
    environment = policy.pick_environment(config, order.command.get("environment"))
    releases = await office.records.releases.recent(order.repository.id, environment.name, LOOKED_AT)
    release = pick_release(releases, environment.name, order.command.get("release"))
    job = rollback_request(order.repository, release, order.origin, order.command.get("reason"))
    admitted_job = await admitted(office, order, facts, environment.rules, job)
    return Outcome("acted", "rollback_asked", jobs=(admitted_job,))
