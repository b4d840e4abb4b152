"""Gives what a linked person wants in Slack to the desk of every face, and words its answers in Slack's markup."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bot import messages
from bot.desk.order import Order
from bot.desk.orders import OrderDesk
from bot.desk.outcome import Outcome
from bot.errors import Refused, ShipmateError
from bot.gates.facts import Facts
from bot.grammar import Command
from bot.model import Origin, Repository
from bot.slack.mrkdwn import mrkdwn
from bot.slack.words import job_named, spoken
from bot.store.answers import Answer, SlackPlace
from bot.store.slack import SlackLink


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command for one repository, and the linked person who wants it; answers for them alone go to `where`."""

    command: Command
    repository: Repository
    facts: Facts
    link: SlackLink
    where: SlackPlace
    is_named: bool = True
    """Whether the person named the repository, so that no more than its name need be hidden from them."""
    known_sha: str | None = None

    def order(self, seq: int, key: str) -> Order:
        """As the desk of every face takes it."""
        link, where = self.link, self.where
        origin = Origin(
            "slack",
            link.github_login,
            self.facts.installation_id,
            channel=where.channel,
            thread=where.thread,
            actor_id=link.github_id,
        )
        return Order(
            self.command, self.repository, origin, link.github_id, None, False, seq, key, known_sha=self.known_sha
        )


class Ordering:
    """What every face's desk says to somebody in Slack."""

    def __init__(self, orders: OrderDesk, locale: str = "en") -> None:
        self._orders = orders
        self._locale = locale

    async def decide(self, wanted: Wanted, seq: int = 0, key: str = "") -> Outcome:
        """What it leads to; nothing is done yet. Raises Transient when GitHub cannot be asked."""
        command = await _with_ref(wanted.command, wanted.facts)
        order = dataclasses.replace(wanted, command=command).order(seq, key)

        def refuse(refused: ShipmateError) -> Answer:
            shown = _as_told(refused, order, wanted.is_named)
            return self._orders.answer(order, messages.failure(self._locale, shown.code, shown.facts), None)

        outcome = await self._orders.decide(order, wanted.facts, refuse)
        name = order.repository.full_name
        answers = tuple(
            dataclasses.replace(answer, body=mrkdwn(spoken(answer.body, name)), slack=answer.slack or wanted.where)
            for answer in outcome.answers
        )
        return dataclasses.replace(outcome, answers=answers)


def _as_told(refused: ShipmateError, order: Order, is_named: bool) -> ShipmateError:
    """Who may not even read is told the same as for a name, or a job, that is not there."""
    if refused.code != "permission_needed":
        return refused
    if refused.facts.get("has") != "none":
        return Refused(refused.code, **{**refused.facts, "command": f"shipmate {order.command.name}"})
    if not is_named and (job_id := job_named(order.command)):
        return Refused("job_not_found", job=job_id)
    return Refused("repository_unknown", repository=order.repository.full_name)


async def _with_ref(command: Command, facts: Facts) -> Command:
    """In Slack there is no pull request: a deploy without a ref is one of the default branch."""
    if command.name != "deploy" or "ref" in command.arguments:
        return command
    return dataclasses.replace(command, arguments={**command.arguments, "ref": await facts.default_branch()})
