"""`/locks`: what is locked, by whom, until when and why."""

from __future__ import annotations

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.rules.lock import spoken
from bot.gates.facts import Facts
from bot.locks import TIME_FORM


async def locks(office: Office, order: Order, facts: Facts) -> Outcome:
    """Those that hold now."""
    standing = await office.records.locks.of(order.repository.id, office.clock())
    title = office.say("locks.title", repository=order.repository.full_name)
    if not standing:
        text = f"{title}\n\n{office.say('locks.none')}"
    else:
        head = " | ".join(office.say(f"locks.{name}") for name in ("environment", "holder", "since", "until", "reason"))
        rows = []
        for one in standing:
            words = spoken(office, one)
            since = one.since.strftime(TIME_FORM)
            until = office.say("locks.until_when", until=words["until"])  # said whole: Slack shows no head of a table
            cells = (words["what"], f"`{one.holder}`", since, until, words["reason"])
            rows.append(f"| {' | '.join(cells)} |")
        text = "\n".join([title, "", f"| {head} |", "|---|---|---|---|---|", *rows])
    answer = office.answer(order, f"{text}\n\n{office.overview(order.repository)}")
    return Outcome("acted", "locks_told", answers=(answer,))
