"""Decides on what programs ask over the API: for a person who may, by the same rules as on every face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.audit import AuditEntry
from bot.clock import Clock
from bot.desk.facts import Facts
from bot.desk.looking import Looked, look
from bot.desk.order import Order
from bot.desk.orders import OrderDesk
from bot.errors import Refused, ShipmateError
from bot.github.api import GitHub
from bot.github.app import installation_in, installations
from bot.github.failures import NotFound
from bot.grammar import Command
from bot.model import Job, JobRequest, Origin, Repository, new_job_id
from bot.slack.repositories import repository_named
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

    async def deploy(self, user: str | int, name: str, branch: str, environment: str | None = None) -> Job:
        """Take a deployment on; it waits when this returns. `user` is a login or GitHub's number of an account.

        Without `environment` it is the branch's own, else the default one. Raises Refused, Permanent, Transient.
        """
        login = await self._login(user) if isinstance(user, int) else user
        facts, repository = await self._repository(name if "/" in name else f"{await self._account(login)}/{name}")
        meant = environment or await _environment_of(facts, branch)
        command = Command("deploy", f"/deploy {branch} to {meant}", {"ref": branch, "environment": meant})
        origin = Origin("api", login, facts.installation_id)
        order = Order(command, repository, origin, None, None, False, 0, f"api-{new_job_id()}")
        return await self._obeyed(order, facts)

    async def _obeyed(self, order: Order, facts: Facts) -> Job:
        """The job an order leads to; what was decided stands in the audit trail, a refusal too."""
        refusals: list[ShipmateError] = []

        def refuse(error: ShipmateError) -> Answer:
            refusals.append(error)
            return self.orders.answer(order, "", None)

        outcome = await self.orders.decide(order, facts, refuse)
        jobs = [await self._taken(request, outcome.audit) for request in outcome.jobs]
        if refusals or not jobs:
            for entry in outcome.audit:
                await self.audit.add(entry, self.clock())
            raise next(iter(refusals), Refused(outcome.reason))
        return jobs[0]

    async def _taken(self, request: JobRequest, audit: Sequence[AuditEntry]) -> Job:
        try:
            about = [entry for entry in audit if entry.job_id == request.id]
            return await self.jobs.create(request, self.clock(), about)
        except Refused as full:
            raise Refused("deployment_queue_full", limit=full.facts.get("limit")) from full

    async def inspect(self, name: str, ref: str | None) -> Looked:
        """What a ref of a repository is, the default branch by default. Raises Refused, Permanent, Transient."""
        facts, repository = await self._repository(name)
        default = await facts.default_branch()
        config = await facts.config(default)
        sha = await facts.commit(ref or default)
        return await look(facts, repository, ref or default, sha, config.build)

    async def _repository(self, name: str) -> tuple[Facts, Repository]:
        try:
            return await repository_named(self.github, name)
        except Refused as unknown:
            raise Refused("repository_not_installed", repository=name) from unknown

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


async def _environment_of(facts: Facts, branch: str) -> str:
    config = await facts.config(await facts.default_branch())
    return (config.for_branch(branch) or config.default()).name
