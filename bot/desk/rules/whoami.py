"""`/whoami`: who somebody is to us, and what that lets them do here."""

from __future__ import annotations

from bot import messages
from bot.commands import COMMANDS
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.github.people import Role


async def whoami(office: Office, order: Order, facts: Facts) -> Outcome:
    """Login, number, role as GitHub tells it now, what may be said with it, and the linked accounts in Slack.

    Raises Refused("permission_unreadable").
    """
    actor, number = order.origin.actor, order.actor_id
    role = await facts.role(actor, number)
    linked = await office.records.slack_links.people(number) if number is not None else []
    lines = [
        office.say("whoami.github", login=messages.neutral(actor), id=number, repository=order.repository.full_name),
        office.say("whoami.role", role=role.name.lower(), commands=_commands(role)),
        office.say("whoami.slack", count=len(linked)) if linked else office.say("whoami.no_slack"),
    ]
    rules = {"role": role.name.lower()}
    return Outcome("acted", "whoami_told", answers=(office.answer(order, "\n".join(lines)),), rules=rules)


def _commands(role: Role) -> str:
    """Those the role is enough for; what an environment asks beside it is asked there."""
    allowed = [spec.name for spec in COMMANDS.values() if role >= Role[spec.needs.upper()]]
    return ", ".join(f"`/{name}`" for name in allowed)
