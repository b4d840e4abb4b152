"""`/retry`: the same again, at the same commit, under the settings and rules that are in force now."""

from __future__ import annotations

import dataclasses

from bot.desk.buttons import command_of
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.analyze import analyze
from bot.desk.rules.deploy import deploy
from bot.desk.rules.preview import preview
from bot.desk.rules.rollback import rollback
from bot.errors import Refused
from bot.gates.facts import Facts

AGAIN = {"deploy": deploy, "rollback": rollback, "preview": preview, "analyze": analyze}
"""What a job may be done again by."""


async def retry(office: Office, order: Order, facts: Facts) -> Outcome:
    """The job named, else the newest one asked for here, once it has ended. Raises Refused as its own command does."""
    job = await office.require_job(order)
    if not job.state.is_final:
        raise Refused("job_under_way", job=job.id)
    if job.spec.get("connection_by_key"):
        raise Refused("given_with_key", job=job.id)
    again = dataclasses.replace(command_of("retry", job), raw=order.command.raw)
    asked = dataclasses.replace(order, command=again, known_sha=job.sha)
    outcome = await AGAIN[again.name](office, asked, facts)
    return dataclasses.replace(outcome, rules={**outcome.rules, "again": job.id})
