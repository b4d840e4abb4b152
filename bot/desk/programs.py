"""Decides on what programs ask over the API: for a person who may, by the same rules as on every face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.asked import FACE, Asked
from bot.audit import AuditEntry
from bot.clock import Clock
from bot.desk.looking import Looked, look
from bot.desk.order import Order
from bot.desk.orders import OrderDesk
from bot.desk.reach import Sees, everything, require_seen
from bot.errors import Refused, ShipmateError
from bot.gates.facts import Facts
from bot.gates.repositories import repository_named
from bot.github.api import GitHub
from bot.github.app import installation_in, installations
from bot.github.client.failures import NotFound
from bot.grammar import Command
from bot.model import Job, JobRequest, Origin, Repository, new_job_id
from bot.store.answers import Answer
from bot.store.audit import Audit
from bot.store.jobs import Jobs


@dataclass(frozen=True, slots=True)
class ProgramDesk:
    """One desk for the API."""

    github: GitHub
    orders: OrderDesk
    jobs: Jobs
    audit: Audit
    clock: Clock

    async def deploy(self, user: str | int, name: str, branch: str, environment: str | None, sees: Sees) -> Job:
        """Take a deployment on; it waits when this returns. `user` is a login or GitHub's number of an account.

        Without `environment` it is the branch's own, else the default one. Who does not see everything names a
        repository in full. Raises Refused, Permanent, Transient.
        """
        require_seen(sees, [name])
        return await self.obeyed(*await self._ordered("api", user, name, branch, environment, sees))

    async def take_over(self, asked: Asked) -> Job:
        """The same for one that was asked for in the table: under its id and since then, at its commit if it has one.

        Raises Refused, Permanent, Transient.
        """
        order, facts = await self._ordered(FACE, asked.user, asked.repo, asked.branch, asked.environment, everything)
        pinned = asked.found.sha if asked.found else None
        return await self.obeyed(replace(order, pinned_sha=pinned), facts, asked)

    async def _ordered(
        self, face: str, user: str | int, name: str, branch: str, environment: str | None, sees: Sees
    ) -> tuple[Order, Facts]:
        login = await self._login(user) if isinstance(user, int) else user
        facts, repository = await self._repository(
            name if "/" in name else f"{await self._account(login)}/{name}", sees
        )
        meant = environment or await environment_of(facts, branch)
        command = Command("deploy", f"/deploy {branch} to {meant}", {"ref": branch, "environment": meant})
        origin = Origin(face, login, facts.installation_id)
        return Order(command, repository, origin, None, None, False, 0, f"{face}-{new_job_id()}"), facts

    async def obeyed(
        self,
        order: Order,
        facts: Facts,
        asked: Asked | None = None,
        used: Mapping[str, Any] | None = None,
        job_id: str | None = None,
    ) -> Job:
        """The job an order leads to; what was decided and what was `used` stand in the audit trail, a refusal too."""
        refusals: list[ShipmateError] = []

        def refuse(error: ShipmateError) -> Answer:
            refusals.append(error)
            return self.orders.answer(order, "", None)

        outcome = await self.orders.decide(order, facts, refuse)
        noted = tuple(replace(entry, rules={**entry.rules, **(used or {})}) for entry in outcome.audit)
        outcome = replace(outcome, audit=noted)
        named, since = (asked.id, asked.created_at) if asked else (job_id, self.clock())
        jobs = [await self._taken(request, outcome.audit, named or request.id, since) for request in outcome.jobs]
        if refusals or not jobs:
            for entry in outcome.audit:
                await self.audit.add(entry, self.clock())
            raise next(iter(refusals), Refused(outcome.reason))
        return jobs[0]

    async def _taken(self, request: JobRequest, audit: Sequence[AuditEntry], job_id: str, since: datetime) -> Job:
        about = [replace(entry, job_id=job_id) for entry in audit if entry.job_id == request.id]
        try:
            return await self.jobs.create(replace(request, id=job_id), since, about)
        except Refused as full:
            raise Refused("deployment_queue_full", limit=full.facts.get("limit")) from full

    async def inspect(self, name: str, ref: str | None, sees: Sees) -> Looked:
        """What a ref of a repository is, the default branch by default. Raises Refused, Permanent, Transient."""
        facts, repository = await self._repository(name, sees)
        default = await facts.default_branch()
        config = await facts.config(default)
        sha = await facts.commit(ref or default)
        return await look(facts, repository, ref or default, sha, config.build)

    async def _repository(self, name: str, sees: Sees) -> tuple[Facts, Repository]:
        require_seen(sees, [name])
        try:
            facts, repository = await repository_named(self.github, name)
        except Refused as unknown:
            raise Refused("repository_not_installed", repository=name) from unknown
        require_seen(sees, [name, repository.full_name])
        return facts, repository

    async def _login(self, number: int) -> str:
        """The account of that number, as far as the app is installed there."""
        for installation in await installations(self.github.app):
            if installation.account_id == number:
                return installation.account
        raise Refused("user_unknown", user=number)

    async def _account(self, login: str) -> str:
        """The account the app is installed in for this user. Raises Refused("user_unknown")."""
        try:
            return (await installation_in(self.github.app, login)).account
        except NotFound as unknown:
            raise Refused("user_unknown", user=login) from unknown


async def environment_of(facts: Facts, branch: str) -> str:
    """Where a branch goes by itself, else the default environment."""
    config = await facts.config(await facts.default_branch())
    return (config.for_branch(branch) or config.default()).name
