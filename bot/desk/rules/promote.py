"""`/promote`: what serves in one environment goes to another, the same image and not a new build."""

from __future__ import annotations

from bot.desk.admission import admitted, decided
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.requests import promote_request
from bot.errors import Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.jobs.deploy.plan import Plan
from bot.model import JobRequest, Release


async def promote(office: Office, order: Order, facts: Facts) -> Outcome:
    """Raises Refused where the first environment serves nothing, or the second one's rules say no."""
    config = await office.base_config(order, facts)
    source = policy.pick_environment(config, order.command.get("source"))
    environment = policy.pick_environment(config, order.command.get("environment"))
    if source.name == environment.name:
        raise Refused("promote_to_itself", environment=environment.name)
    release = await office.records.releases.active(order.repository.id, source.name)
    if release is None:
        raise Refused("nothing_to_promote", source=source.name, environment=environment.name)
    job = promote_request(order, release, environment, office.targets)
    admitted_job = await admitted(office, order, facts, environment.rules, job)
    _require_same_account(release, admitted_job)
    return Outcome("acted", "promote_asked", jobs=(admitted_job,), rules=decided(admitted_job))


def _require_same_account(release: Release, job: JobRequest) -> None:
    """Raises Refused("image_in_another_account"): the one it goes to could not pull it."""
    there, here = Plan.from_json(release.spec).connection, Plan.from_json(job.spec).connection
    if there != here:
        raise Refused("image_in_another_account", source=release.environment, environment=job.environment)
