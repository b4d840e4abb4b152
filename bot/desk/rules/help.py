"""`/help`: the commands that work."""

from __future__ import annotations

from bot import messages
from bot.commands import COMMANDS, command_meant
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.shown.help import help_text, help_with


async def tell_help(office: Office, order: Order, facts: Facts) -> Outcome:
    """All commands; or the one that was named, or nearly, with how it is written."""
    wanted = (order.command.get("command") or "").removeprefix("/")
    text = f"{_told(office, wanted)}\n\n{office.overview(order.repository)}"
    return Outcome("acted", "help_told", answers=(office.answer(order, text),))


def _told(office: Office, wanted: str) -> str:
    if not wanted:
        return help_text(office.locale)
    if (known := command_meant(wanted)) is not None:
        return help_with(office.locale, COMMANDS[known])
    return f"{office.say('help.unknown', command=messages.neutral(wanted))}\n\n{help_text(office.locale)}"
