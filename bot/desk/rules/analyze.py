"""`/analyze`: who wrote what is there, told where it was asked."""

from __future__ import annotations

import dataclasses
from datetime import date

from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.desk.targets import pull_target, target_of
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.jobs.analysis.plan import AnalysisPlan, Target
from bot.jobs.analysis.submit import analysis_request, under_way


async def analyze(office: Office, order: Order, facts: Facts) -> Outcome:
    """An analysis of the ref named, else of the pull request's head, else of the default branch.

    Raises Refused("ref_not_found", "bad_date", "job_not_found").
    """
    again = order.command.get("again")
    plan = await (_plan(office, order, facts) if again is None else _same(office, order, again))
    request = analysis_request(plan, order.origin)
    known = await under_way(office.records.jobs, request)
    if known is None:
        return Outcome("acted", "analysis_asked", jobs=(request,))
    text = office.say("analysis.under_way", link=office.links.job(known.id))
    return Outcome("acted", "analysis_under_way", answers=(office.answer(order, text, "+1"),))


async def _plan(office: Office, order: Order, facts: Facts) -> AnalysisPlan:
    command = order.command
    since, until = _day(command.get("since")), _day(command.get("until"))
    settings = (await office.base_config(order, facts)).analysis
    return AnalysisPlan(
        (await _target(order, facts),),
        authors=tuple((command.get("authors") or "").split()),
        since=since,
        until=until,
        merges=settings.merges,
        without_bots=settings.without_bots,
        ignore_revs=settings.ignore_revs,
        quality=settings.quality,
    )


async def _target(order: Order, facts: Facts) -> Target:
    ref = order.command.get("ref")
    if ref is None and order.is_pull and order.number is not None:
        return pull_target(await facts.pull(order.number), order.repository, facts.installation_id)
    return await target_of(facts, order.repository, ref, order.known_sha)


async def _same(office: Office, order: Order, job_id: str) -> AnalysisPlan:
    """What an earlier job was about; now somebody asks for it."""
    job = await office.records.jobs.get(job_id)
    if job is None or job.repository.id != order.repository.id:
        raise Refused("job_not_found", job=job_id)
    return dataclasses.replace(AnalysisPlan.from_json(job.spec), is_passing=False)


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise Refused("bad_date", given=given) from error
