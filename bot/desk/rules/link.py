"""`/link`: how a GitHub account is tied to one in Slack. It begins in Slack, where the other account is proven."""

from __future__ import annotations

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts


async def link(office: Office, order: Order, facts: Facts) -> Outcome:
    """Said at GitHub, where everybody reads it, no address that would link somebody may be given."""
    number = order.actor_id
    linked = await office.records.slack_links.people(number) if number is not None else []
    said = office.say("account.linked", count=len(linked)) if linked else office.say("account.how")
    return Outcome("acted", "link_told", answers=(office.answer(order, said),))
