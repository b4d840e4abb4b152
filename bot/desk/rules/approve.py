"""`/approve`: a second person lets a held job run, or a maintainer trusts one commit of a fork's pull request."""

from __future__ import annotations

import dataclasses

from bot import messages
from bot.approvals import Approve, EndHeld, Trust
from bot.desk.office import Office
from bot.desk.order import Order
from bot.desk.outcome import Outcome
from bot.errors import Permanent, Refused
from bot.gates import environment_rules as rules_of
from bot.gates import policy
from bot.gates.facts import Facts
from bot.gates.gate import require_still_allowed
from bot.jobs.deploy.plan import Plan
from bot.model import Job

ENDS_IT = frozenset({"ref_changed", "pull_closed", "permission_lost"})
"""What can never be right again: the job waits no more."""


async def approve(office: Office, order: Order, facts: Facts) -> Outcome:
    """The job named, else the one held that was asked for here, else the fork's commit shown here."""
    job = await _job_meant(office, order)
    if job is not None:
        return await _approve_job(office, order, facts, job)
    if order.is_pull and order.number is not None:
        return await _trust_fork(office, order, facts, order.number)
    raise Refused("nothing_to_approve")


async def _job_meant(office: Office, order: Order) -> Job | None:
    """Nobody approves what they did not mean: of several, one is named.

    Raises Refused("job_not_found", "approval_over" or "several_to_approve").
    """
    named = order.command.get("job")
    if named is None:
        here = [job for job in await office.records.jobs.held() if _is_here(job, order)]
        if len(here) > 1:
            raise Refused("several_to_approve", jobs=[f"{job.id} {job.environment} {job.sha[:7]}" for job in here])
        return here[0] if here else None
    job = await office.records.jobs.get(named)
    if job is None or job.repository.id != order.repository.id:
        raise Refused("job_not_found", job=named)
    if job.hold is None or not job.hold.approvals:
        raise Refused("approval_over", job=named)
    return job


def _is_here(job: Job, order: Order) -> bool:
    here = order.number is None or job.origin.pull_number == order.number
    return here and job.repository.id == order.repository.id and bool(job.hold and job.hold.approvals)


async def _approve_job(office: Office, order: Order, facts: Facts, job: Job) -> Outcome:
    """Counted with the settlement, for the job's commit. Raises Refused when it may not be given, or not now."""
    if _is_asker(order, job):
        raise Refused("own_approval", job=job.id)
    plan = await _plan_now(facts, job)
    actor, number = order.origin.actor, order.actor_id
    may_approve = plan.environment.rules.approvals.who
    await rules_of.require_named(facts, job.environment, "approve", may_approve, actor, number)
    if number is None:
        raise Refused("permission_unreadable", login=actor)
    try:
        await require_still_allowed(facts, office.records, office.clock, job, plan)
    except Permanent as over:
        if over.code in ENDS_IT:
            return _ended(office, order, job, over)
        raise
    return await _counted(office, order, job, Approve(job.id, job.sha, actor, number, order.origin.face))


async def _counted(office: Office, order: Order, job: Job, approval: Approve) -> Outcome:
    """Where the job's own comment stands, that tells the rest."""
    given = [one for one in await office.records.approvals.given(job.id) if one.sha == job.sha]
    place, needed = len(given) + 1, job.hold.approvals if job.hold else 0
    text = office.say("approve.counted", job=job.id, sha=job.sha[:7], given=place, needed=needed)
    rules = {"approvals": f"{place} of {needed}", "job": job.id, "environment": job.environment, "sha": job.sha}
    told_there = order.origin.face == "comment" and order.number == job.origin.pull_number
    answer = office.answer(order, "" if told_there else text, "+1")
    return Outcome("acted", "approved", answers=(answer,), changes=(approval,), rules=rules)


def _is_asker(order: Order, job: Job) -> bool:
    """By number, and by login where the job does not know the number."""
    if job.origin.actor_id is not None:
        return job.origin.actor_id == order.actor_id
    return job.origin.actor.lower() == order.origin.actor.lower()


async def _plan_now(facts: Facts, job: Job) -> Plan:
    """The job's plan with the rules its environment has now; one that is gone since keeps those of the job."""
    plan = Plan.from_json(job.spec)
    if plan.follows_pull:
        config = await facts.settings_for(await facts.pull(plan.follows_pull))
    else:
        config = await facts.config(await facts.default_branch())
    environment = config.environments.get(job.environment, plan.environment)
    return dataclasses.replace(plan, environment=dataclasses.replace(plan.environment, rules=environment.rules))


def _ended(office: Office, order: Order, job: Job, over: Permanent) -> Outcome:
    text = messages.failure(office.locale, over.code, over.facts)
    answer = office.answer(order, text, "confused")
    return Outcome("refused", over.code, answers=(answer,), changes=(EndHeld(job.id, over.code, text),))


async def _trust_fork(office: Office, order: Order, facts: Facts, number: int) -> Outcome:
    """The head that was announced here before the order came, and no later one. Raises Refused."""
    pull = await facts.pull(number)
    if not pull.from_fork:
        raise Refused("nothing_to_approve")
    policy.require_open(pull)
    actor = order.origin.actor
    policy.require_role(actor, await facts.role(actor, order.actor_id), "approve", "maintain")
    if pull.author.lower() == actor.lower():
        raise Refused("own_approval", job=f"#{number}")
    told = await office.records.deliveries.latest_head(order.repository.id, number)
    policy.require_still_head(pull, told, order.received_seq)
    trust = Trust(order.repository.id, number, pull.head_sha, actor, order.actor_id or 0)
    text = office.say("approve.trusted", sha=pull.head_sha[:7])
    answer = office.answer(order, text, "+1")
    return Outcome("acted", "fork_trusted", answers=(answer,), changes=(trust,), rules={"sha": pull.head_sha})
