"""`/queue`: who waits for which environment, at which place, and how long it will be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot import messages
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.durations import shown
from bot.gates.facts import Facts
from bot.line import Line, Place, lines
from bot.model import Job


async def queue(office: Office, order: Order, facts: Facts) -> Outcome:
    """One environment, or all where somebody stands. Raises Refused("unknown_environment")."""
    now, only = office.clock(), order.command.get("environment")
    found = await lines(office.records.jobs, order.repository, only, now)
    if only and not found:
        await office.require_known(order, facts, only)
    title = office.say("queue.title", repository=order.repository.full_name)
    text = "\n\n".join([title, *(_table(office, line, now) for line in found)])
    if not found:
        text = f"{title}\n\n{office.say('queue.empty')}"
    answer = office.answer(order, f"{text}\n\n{office.overview(order.repository)}")
    return Outcome("acted", "queue_told", answers=(answer,))


def _table(office: Office, line: Line, now: datetime) -> str:
    usual = shown(line.usual) if line.usual is not None else office.say("queue.unknown")
    head = " | ".join(office.say(f"queue.{name}") for name in ("place", "commit", "asked_by", "job", "starts"))
    name = office.say("queue.environment", environment=line.environment, usual=usual)
    return "\n".join([name, "", f"| {head} |", "|---:|---|---|---|---|", *_rows(office, line, now)])


def _rows(office: Office, line: Line, now: datetime) -> Iterator[str]:
    for place in line.places:
        yield _row(office, str(place.ahead + 1), place.job, _starts(office, place, now))
    for job in line.held:
        yield _row(office, messages.UNKNOWN, job, office.say("queue.held"))


def _row(office: Office, place: str, job: Job, starts: str) -> str:
    commit = f"[`{job.sha[:7]}`]({office.links.job(job.id)})"
    return f"| {place} | {commit} | {messages.neutral(job.origin.actor)} | `{job.id}` | {starts} |"


def _starts(office: Office, place: Place, now: datetime) -> str:
    if place.job.started_at is not None:
        return office.say("queue.running", time=shown(now - place.job.started_at))
    if place.ahead == 0:
        return office.say("queue.now")
    return office.say("queue.unknown") if place.wait is None else office.say("queue.in", time=shown(place.wait))
