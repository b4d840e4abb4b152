"""`/cancel`: the job under way stops; what serves now goes on serving."""

from __future__ import annotations

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates import policy
from bot.gates.facts import Facts


async def cancel(office: Office, order: Order, facts: Facts) -> Outcome:
    """The job named, or the newest under way that was asked for here. Raises Refused when there is none."""
    job = policy.pick_cancellable(await office.job_meant(order), order.command.get("job"), order.repository.id)
    text = office.say("cancel.asked", job=job.id)
    answer = office.answer(order, text, "+1")
    return Outcome("acted", "cancel_asked", cancels=((job.id, order.origin.actor),), answers=(answer,))
