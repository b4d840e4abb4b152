"""`/logs`: the end of a job's log, or of what one stage wrote of it, and where all of it stands."""

from __future__ import annotations

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.gates.facts import Facts
from bot.model import Stage
from bot.shown.markdown import fenced

LINES = 40


async def logs(office: Office, order: Order, facts: Facts) -> Outcome:
    """Of the job named, else of the newest one asked for here. Raises Refused."""
    job = await office.require_job(order)
    given = order.command.get("stage")
    stage = Stage(int(given)) if given else None
    tail = await office.records.jobs.log_tail(job.id, LINES, stage)
    name = office.say(f"stage.{int(stage)}") if stage else office.say("logs.all")
    link = office.links.job(job.id)
    said = {"job": job.id, "sha": job.sha[:7], "stage": name, "link": link}
    title = office.say("logs.title" if tail else "logs.none", count=len(tail), **said)
    text = f"{title}\n\n{fenced(tail)}" if tail else title
    return Outcome("acted", "logs_told", answers=(office.answer(order, text),), rules={"job": job.id})
