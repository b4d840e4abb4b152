"""`/help`: the commands that work."""

from __future__ import annotations

from bot.commands import command_meant
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.reporters.markdown import help_text


async def tell_help(office: Office, order: Order, facts: Facts) -> Outcome:
    """All commands; or the one that was named, or nearly, with how it is written."""
    wanted = (order.command.get("command") or "").removeprefix("/")
    text = help_text(office.locale, command_meant(wanted))
    return Outcome("acted", "help_told", answers=(office.answer(order, text),))
