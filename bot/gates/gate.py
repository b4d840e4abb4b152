"""Asks again, just before anything changes, whether what was allowed still is: head, person, rules and approvals."""

from __future__ import annotations

from bot.clock import Clock
from bot.connections import require_lent
from bot.errors import Permanent, Refused, Transient
from bot.gates import environment_rules as rules_of
from bot.gates.facts import Facts, facts_of_job
from bot.gates.records import Records
from bot.github.api import GitHub
from bot.github.people import Role
from bot.jobs.deploy.plan import Plan
from bot.model import Job, JobKind

UNREADABLE = frozenset({"permission_unreadable", "checks_unreadable"})
"""GitHub could not say: the job tries again, and changes nothing meanwhile."""


class Gate:
    """The same question before the deployment starts, before green may take traffic, and before the switch."""

    def __init__(self, github: GitHub, records: Records, clock: Clock) -> None:
        self._github = github
        self._records = records
        self._clock = clock

    async def recheck(self, job: Job, plan: Plan) -> None:
        """All of it bound to the job's commit. Raises Permanent with the code of the rule that says no now.

        Raises Transient when GitHub cannot say.
        """
        facts = await facts_of_job(self._github, self._records.connections, job)
        try:
            await require_still_allowed(facts, self._records, self._clock, job, plan)
            await self._require_approvals(facts, job, plan)
        except Refused as refused:
            if refused.code in UNREADABLE:
                wait_s = _asked_to_wait_s(refused)
                raise Transient("github_unavailable", retry_after_s=wait_s, reason=refused.code) from refused
            raise Permanent(refused.code, **refused.facts) from refused

    async def _require_approvals(self, facts: Facts, job: Job, plan: Plan) -> None:
        """Each approval is of this commit, and of somebody who may still give it. Raises Permanent."""
        rule = plan.environment.rules.approvals
        if not rule.required or _changes_nothing_new(job, plan) or rules_of.APPROVALS in plan.bypassed:
            return
        given = [one for one in await self._records.approvals.given(job.id) if one.sha == job.sha]
        standing = [one for one in given if await _may_approve(facts, job, plan, one.actor, one.actor_id)]
        if len(standing) < rule.required:
            raise Permanent("approvals_missing", needed=rule.required, given=len(standing), environment=job.environment)


def _asked_to_wait_s(refused: Refused) -> float | None:
    """How long GitHub asked to be left alone, when that is why it could not say."""
    return refused.__cause__.retry_after_s if isinstance(refused.__cause__, Transient) else None


async def require_still_allowed(facts: Facts, records: Records, clock: Clock, job: Job, plan: Plan) -> None:
    """All but the approvals. Raises Permanent("ref_changed", "pull_closed", "permission_lost", "connection_removed").

    Raises Refused with the rule that says no; Refused("permission_unreadable" or "checks_unreadable"), or Transient,
    when GitHub cannot say.
    """
    await _require_head(facts, job, plan)
    await _require_person(facts, job, plan)
    await _require_unlocked(records, clock, job, plan)
    await _require_lent(records, job, plan)
    if _changes_nothing_new(job, plan):
        return
    environment = plan.environment
    await rules_of.require_not_put_back(records.releases, job.repository.id, environment, job.sha)
    if "frozen" not in plan.bypassed:
        rules_of.require_thaw(environment, clock())
    if not any(code.startswith("checks_") for code in plan.bypassed):
        await rules_of.require_checks(facts, environment, job.sha)
    if "behind" not in plan.bypassed and _somebody_chose_the_commit(job, plan):
        await rules_of.require_up_to_date(facts, environment, job.sha)


async def _require_head(facts: Facts, job: Job, plan: Plan) -> None:
    if plan.follows_pull is None:
        return
    pull = await facts.pull(plan.follows_pull)
    if pull.head_sha != job.sha:
        raise Permanent("ref_changed", before=job.sha[:7], now=pull.head_sha[:7])
    if pull.state != "open":
        raise Permanent("pull_closed", state="merged" if pull.merged else pull.state)


async def _require_unlocked(records: Records, clock: Clock, job: Job, plan: Plan) -> None:
    """Raises Refused("environment_locked"): locked by somebody else since it was asked for."""
    if not plan.noop:
        actor, number = job.origin.actor, job.origin.actor_id
        await rules_of.require_unlocked(records.locks, job.repository.id, job.environment, actor, number, clock())


async def _require_lent(records: Records, job: Job, plan: Plan) -> None:
    """Raises Permanent("connection_removed"), or Refused("connection_not_lent"): to others now."""
    named = plan.connection
    if named is None:
        return
    connection = await records.connections.one_aws(named)
    if connection is None:
        raise Permanent("connection_removed", connection=named)
    if plan.only_if_lent or not plan.connection_by_key:
        require_lent(connection, named, job.repository, job.origin.installation_id)


async def _require_person(facts: Facts, job: Job, plan: Plan) -> None:
    """Whoever asked may still ask, under the same number; whoever set rules aside may still do that."""
    origin = job.origin
    needs = Role.MAINTAIN if plan.bypassed else Role[plan.requires.upper()] if plan.requires else Role.NONE
    if needs and await facts.role(origin.actor, origin.actor_id) < needs:
        raise Permanent("permission_lost", actor=origin.actor)
    if plan.requires or origin.face == "push":
        command = _command(job, plan)
        names = plan.environment.rules.named(command)
        await rules_of.require_named(facts, job.environment, command, names, origin.actor, origin.actor_id)


async def _may_approve(facts: Facts, job: Job, plan: Plan, actor: str, actor_id: int) -> bool:
    if await facts.role(actor, actor_id) < Role.WRITE:
        return False
    names = plan.environment.rules.approvals.who
    try:
        await rules_of.require_named(facts, job.environment, "approve", names, actor, actor_id)
    except Refused as refused:
        if refused.code in UNREADABLE:
            raise
        return False
    return True


def _command(job: Job, plan: Plan) -> str:
    """What the job was asked for with, as `who` names it."""
    if job.kind is JobKind.ROLLBACK:
        return "rollback"
    return "promote" if plan.promoted_from else "deploy"


def _somebody_chose_the_commit(job: Job, plan: Plan) -> bool:
    """A push brings its branch as it was then, and a promotion what serves elsewhere."""
    return job.origin.face != "push" and _command(job, plan) == "deploy"


def _changes_nothing_new(job: Job, plan: Plan) -> bool:
    """Going back to what served before, or only looking: in a freeze too, and with nobody's approval."""
    return job.kind is JobKind.ROLLBACK or plan.noop
