"""Decides on orders: whether this person may say this at all, then by the rule of the command, whatever the face."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot import policy
from bot.commands import COMMANDS
from bot.desk.facts import Facts
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.cancel import cancel
from bot.desk.rules.deploy import deploy
from bot.desk.rules.help import tell_help
from bot.desk.rules.inspect import inspect
from bot.desk.rules.promote import promote
from bot.desk.rules.rollback import rollback
from bot.desk.rules.status import status
from bot.store import Answer

Rule = Callable[[Office, Order, Facts], Awaitable[Outcome]]
"""What an order of one command leads to. Raises Refused, or Transient when GitHub cannot be asked."""

RULES: Mapping[str, Rule] = {
    "deploy": deploy,
    "rollback": rollback,
    "promote": promote,
    "status": status,
    "cancel": cancel,
    "inspect": inspect,
    "help": tell_help,
}


class OrderDesk:
    """One desk for the commands of every face."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def decide(self, order: Order, facts: Facts) -> Outcome:
        """What the order leads to. Raises Refused, or Transient when GitHub cannot be asked."""
        spec = COMMANDS[order.command.name]
        if spec.needs != "none":
            role = await facts.role(order.origin.actor, order.actor_id)
            policy.require_role(order.origin.actor, role, spec.name, spec.needs)
        return await RULES[spec.name](self._office, order, facts)

    def answer(self, order: Order, text: str, reaction: str | None) -> Answer:
        """A reply to the order, where it was said."""
        return self._office.answer(order, text, reaction)
