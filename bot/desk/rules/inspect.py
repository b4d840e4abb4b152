"""`/inspect`: what this repository is, and why, as a deployment of that commit would see it."""

from __future__ import annotations

from bot.desk.answers.inspection import inspection_text
from bot.desk.looking import look
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts


async def inspect(office: Office, order: Order, facts: Facts) -> Outcome:
    """The ref named, else the pull request's head, else the default branch. Raises Refused for bad settings."""
    config = await office.base_config(order, facts)
    ref, sha = await _commit(order, facts)
    looked = await look(facts, order.repository, ref, sha, config.build)
    return Outcome("acted", "inspection_told", answers=(office.answer(order, inspection_text(looked, office.locale)),))


async def _commit(order: Order, facts: Facts) -> tuple[str, str]:
    """The ref as it was said, and the commit it is now."""
    ref = order.command.get("ref")
    if ref is None and order.is_pull and order.number is not None:
        pull = await facts.pull(order.number)
        return pull.head_ref, pull.head_sha
    named = ref or await facts.default_branch()
    return named, await facts.commit(named, is_ours=named == order.known_sha)
