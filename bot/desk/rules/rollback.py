"""`/rollback`: an earlier release comes back as it was, at once and without a build."""

from __future__ import annotations

from bot import policy
from bot.desk.facts import Facts
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import rollback_request


async def rollback(office: Office, order: Order, facts: Facts) -> Outcome:
    """The last good release of the environment. Raises Refused("no_release")."""
    config = await office.base_config(order, facts)
    environment = policy.pick_environment(config, order.command.get("environment"))
    releases = await office.records.releases.recent(order.repository.id, environment.name)
    release = policy.pick_release(releases, environment.name)
    return Outcome("acted", "rollback_asked", jobs=(rollback_request(order.repository, release, order.origin),))
