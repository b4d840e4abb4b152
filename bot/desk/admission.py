"""Lets a job into an environment by that environment's rules: as it is, held for approvals, or not at all."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.connections import require_lent
from bot.desk.office import Office
from bot.desk.order import Order
from bot.errors import Refused
from bot.gates import environment_rules as rules_of
from bot.gates.facts import Facts
from bot.github.people import Role
from bot.jobs.deploy.plan import Plan
from bot.model import Hold, JobRequest
from bot.repo_config.rules import EnvironmentRules

MAY_COME = frozenset({"checks_pending", "checks_missing"})
"""Refusals that time may mend: a push waits for them, for nobody stands there to ask again."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for the job, by which command of `who`; with a reason a maintainer may set rules aside."""

    actor: str
    actor_id: int | None
    command: str
    reason: str | None = None
    waits_for_checks: bool = False
    before: str | None = None
    """The job that the same command asks for in the environment that comes before this one."""


async def admitted(
    office: Office,
    order: Order,
    facts: Facts,
    rules: EnvironmentRules,
    request: JobRequest,
    before: JobRequest | None = None,
) -> JobRequest:
    """The job somebody ordered, as the environment's rules let it through. Raises Refused with the rule that says no.

    `rules` are those of the base branch now; the job keeps them, and they are asked again before anything changes.
    It waits for the job `before`, where the same command asks for one in the environment that comes first.
    """
    command, first = order.command, before.id if before else None
    asker = Asker(order.origin.actor, order.actor_id, command.name, command.get("reason"), before=first)
    return await _Admission(office, facts, asker, rules, request).decide()


async def pushed(office: Office, facts: Facts, request: JobRequest) -> JobRequest:
    """The job of a push, by the rules its plan holds; it waits for checks that have not come yet. Raises Refused."""
    origin = request.origin
    asker = Asker(origin.actor, origin.actor_id, "deploy", waits_for_checks=True)
    rules = Plan.from_json(request.spec).environment.rules
    return await _Admission(office, facts, asker, rules, request).decide()


def decided(job: JobRequest) -> dict[str, Any]:
    """What the rules made of a job, for the audit trail; empty where they just let it through."""
    plan = Plan.from_json(job.spec)
    told: dict[str, Any] = {}
    if plan.bypassed:
        told |= {"set_aside": list(plan.bypassed), "reason": plan.reason}
    if plan.connection is not None:
        told["connection"] = plan.connection
    if job.hold is not None:
        told |= {"approvals_needed": job.hold.approvals, "checks_awaited": list(job.hold.checks)}
    return {job.environment: told} if told else {}


class _Admission:
    """One job before the rules of one environment."""

    def __init__(
        self, office: Office, facts: Facts, asker: Asker, rules: EnvironmentRules, request: JobRequest
    ) -> None:
        self._office = office
        self._facts = facts
        self._asker = asker
        plan = Plan.from_json(request.spec)
        self._plan = dataclasses.replace(plan, environment=dataclasses.replace(plan.environment, rules=rules))
        self._rules = rules
        self._request = request

    async def decide(self) -> JobRequest:
        """Going back, and looking what would be, ask only who may."""
        asker, environment = self._asker, self._plan.environment
        await self._name_connection()
        await rules_of.require_named(
            self._facts,
            environment.name,
            asker.command,
            self._rules.named(asker.command),
            asker.actor,
            asker.actor_id,
        )
        await self._require_unlocked()
        if asker.command == "rollback" or self._plan.noop:
            return self._let_in()
        repository_id, sha = self._request.repository.id, self._request.sha
        if asker.before is None:
            await rules_of.require_order(self._office.records.releases, repository_id, environment, sha)
        return await self._by_the_rules_that_may_be_set_aside()

    async def _name_connection(self) -> None:
        """From here on the plan names the connection by its id. Raises Refused("connection_not_lent")."""
        reference, request = self._plan.connection, self._request
        if reference is None or self._plan.connection_by_key:
            return
        known = await self._office.records.connections.one_aws(reference)
        lent = require_lent(known, reference, request.repository, request.origin.installation_id)
        named = dataclasses.replace(self._plan.environment, connection=lent.id)
        self._plan = dataclasses.replace(self._plan, environment=named)

    async def _require_unlocked(self) -> None:
        """Looking what would be is free to all. Raises Refused("environment_locked")."""
        if self._plan.noop:
            return
        office, asker, request = self._office, self._asker, self._request
        await rules_of.require_unlocked(
            office.records.locks,
            request.repository.id,
            request.environment,
            asker.actor,
            asker.actor_id,
            office.clock(),
        )

    async def _by_the_rules_that_may_be_set_aside(self) -> JobRequest:
        refusals = await self._refusals()
        approved = self._rules.approvals.required > 0
        if (refusals or approved) and await self._may_set_aside():
            codes = [*(refusal.code for refusal in refusals), *([rules_of.APPROVALS] if approved else [])]
            return self._let_in(bypassed=tuple(codes), hold=self._turn())
        final = [one for one in refusals if not (self._asker.waits_for_checks and one.code in MAY_COME)]
        if final:
            raise final[0]
        checks = self._rules.checks if refusals else ()
        return self._let_in(hold=self._hold(checks) if checks or approved else self._turn())

    async def _refusals(self) -> list[Refused]:
        found: list[Refused] = []
        environment = self._plan.environment
        try:
            rules_of.require_thaw(environment, self._office.clock())
        except Refused as refused:
            found.append(refused)
        try:
            await rules_of.require_checks(self._facts, environment, self._request.sha)
        except Refused as refused:
            found.append(refused)
        try:
            await self._require_up_to_date()
        except Refused as refused:
            found.append(refused)
        return found

    async def _require_up_to_date(self) -> None:
        """A push brings its branch as it is then, and a promotion what serves elsewhere. Raises Refused("behind")."""
        asker = self._asker
        if asker.command == "deploy" and not asker.waits_for_checks:
            await rules_of.require_up_to_date(self._facts, self._plan.environment, self._request.sha)

    async def _may_set_aside(self) -> bool:
        """Only maintainers, and only with a reason."""
        asker = self._asker
        return bool(asker.reason) and await self._facts.role(asker.actor, asker.actor_id) >= Role.MAINTAIN

    def _hold(self, checks: tuple[str, ...]) -> Hold:
        rule = self._rules.approvals
        until = self._office.clock() + timedelta(seconds=rule.expires_s)
        return Hold(until, rule.required, rule.who, checks, self._asker.before)

    def _turn(self) -> Hold | None:
        """What only waits for the job before it."""
        until = self._office.clock() + timedelta(seconds=self._rules.approvals.expires_s)
        return Hold(until, after=self._asker.before) if self._asker.before else None

    def _let_in(self, *, bypassed: tuple[str, ...] = (), hold: Hold | None = None) -> JobRequest:
        plan = dataclasses.replace(self._plan, bypassed=bypassed)
        return dataclasses.replace(self._request, spec=plan.to_json(), hold=hold)
