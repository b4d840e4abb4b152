"""Decides on orders: whether this person may say this at all, then by the rule of the command, whatever the face."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.audit import masked
from bot.commands import COMMANDS
from bot.deliveries.wishes import FollowPull
from bot.desk import following, record
from bot.desk.admission import pushed
from bot.desk.limits import SPOKEN, limit_behind, told_now
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.analyze import analyze
from bot.desk.rules.approve import approve
from bot.desk.rules.cancel import cancel
from bot.desk.rules.deploy import deploy
from bot.desk.rules.help import tell_help
from bot.desk.rules.inspect import inspect
from bot.desk.rules.link import link
from bot.desk.rules.lock import lock
from bot.desk.rules.locks import locks
from bot.desk.rules.logs import logs
from bot.desk.rules.preview import preview
from bot.desk.rules.promote import promote
from bot.desk.rules.queue import queue
from bot.desk.rules.retry import retry
from bot.desk.rules.rollback import rollback
from bot.desk.rules.stats import stats
from bot.desk.rules.status import status
from bot.desk.rules.unlock import unlock
from bot.desk.rules.whoami import whoami
from bot.desk.rules.why import why
from bot.errors import Permanent, Refused, ShipmateError, Transient
from bot.gates import policy
from bot.gates.facts import Facts
from bot.model import JobRequest
from bot.store.answers import Answer

Rule = Callable[[Office, Order, Facts], Awaitable[Outcome]]
"""What an order of one command leads to. Raises Refused, or Transient when GitHub cannot be asked."""

Refuse = Callable[[ShipmateError], Answer]
"""Words a refusal where the order was said."""

RULES: Mapping[str, Rule] = {
    "deploy": deploy,
    "rollback": rollback,
    "promote": promote,
    "preview": preview,
    "lock": lock,
    "unlock": unlock,
    "locks": locks,
    "queue": queue,
    "status": status,
    "why": why,
    "logs": logs,
    "retry": retry,
    "stats": stats,
    "approve": approve,
    "cancel": cancel,
    "inspect": inspect,
    "analyze": analyze,
    "link": link,
    "whoami": whoami,
    "help": tell_help,
}


class OrderDesk:
    """One desk for the commands of every face."""

    def __init__(self, office: Office, mask: Callable[[Any], Any]) -> None:
        """`mask` takes secrets out of text and plain JSON."""
        self._office = office
        self._mask = mask

    async def decide(self, order: Order, facts: Facts, refuse: Refuse) -> Outcome:
        """What the order leads to, told to the audit trail. Raises Transient when GitHub cannot be asked just now."""
        rules: dict[str, Any] = {}
        order = self._fit_to_be_shown(order)
        try:
            outcome = await self._ruled(order, facts, rules)
        except (Refused, Permanent, Transient) as error:
            refused = self._told_now(order, error)
            told = masked(record.refused(order, refused, rules), self._mask)
            return Outcome("refused", refused.code, answers=(refuse(refused),), audit=(told,))
        audit = tuple(masked(entry, self._mask) for entry in record.obeyed(order, outcome, rules))
        return dataclasses.replace(outcome, audit=audit)

    def _told_now(self, order: Order, error: Refused | Permanent | Transient) -> Refused | Permanent:
        """Raises Transient for what is waited for: however long, where no person spoke who could say it again."""
        if order.origin.face not in SPOKEN and (limit := limit_behind(error)) is not None:
            raise limit
        return told_now(error, self._office.clock())

    def _fit_to_be_shown(self, order: Order) -> Order:
        """A reason is kept and shown to others: with no secret in it. Values are left alone, they are to be used."""
        if (reason := order.command.get("reason")) is None:
            return order
        arguments = {**order.command.arguments, "reason": self._mask(reason)}
        return dataclasses.replace(order, command=dataclasses.replace(order.command, arguments=arguments))

    async def _ruled(self, order: Order, facts: Facts, rules: dict[str, Any]) -> Outcome:
        """By the rule of the command. `rules` learns what decided before it. Raises Refused or Permanent."""
        spec = COMMANDS[order.command.name]
        if spec.needs != "none":
            role = await facts.role(order.origin.actor, order.actor_id)
            rules |= {"needs": spec.needs, "role": role.name.lower()}
            policy.require_role(order.origin.actor, role, spec.name, spec.needs)
        return await RULES[spec.name](self._office, order, facts)

    async def admit_push(self, facts: Facts, request: JobRequest) -> JobRequest:
        """The job of a push, as the rules of its environment let it through. Raises Refused."""
        return await pushed(self._office, facts, request)

    async def why_no_preview(self, wish: FollowPull, facts: Facts) -> str | None:
        """Why a pull request's event asks for no preview; None: it does. Raises Transient, Refused."""
        return await following.why_not(self._office, wish, facts)

    async def preview_ended(self, wish: FollowPull) -> Outcome:
        """What the end of a pull request means for its preview."""
        return await following.ended(self._office, wish)

    def answer(self, order: Order, text: str, reaction: str | None) -> Answer:
        """A reply to the order, where it was said."""
        return self._office.answer(order, text, reaction)
