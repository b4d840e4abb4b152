"""Decides on deployments that a program asks for through connections: a token of its own, an account of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.desk.given import NOTHING_GIVEN, Given
from bot.desk.order import Order
from bot.desk.programs import ProgramDesk, environment_of
from bot.desk.reach import Sees, require_seen
from bot.errors import Permanent, Refused
from bot.gates.facts import Facts, lent_facts
from bot.gates.repositories import repository_named
from bot.github.lent import refused_token
from bot.github.person import Person, whose
from bot.github.repository import get_repository
from bot.grammar import Command
from bot.jobs.deploy.plan import Plan
from bot.model import Job, Origin, Repository, job_id_for, new_job_id
from bot.store.connections import Connections, GitHubConnection


@dataclass(frozen=True, slots=True)
class LentAsk:
    """What is to be deployed, through which connections. `given` says the rest; its `github` is left to the desk.

    `key` names the API key it was asked with; `once` tells this asking from all others, where its caller does.
    """

    github: str
    repository: str
    branch: str
    key: str
    environment: str | None = None
    given: Given = NOTHING_GIVEN
    once: str | None = None

    @property
    def job_id(self) -> str | None:
        """The same for each repetition; None where every asking means another deployment."""
        return job_id_for("api", self.once) if self.once else None

    def is_what_was_asked(self, job: Job) -> bool:
        """Whether the job is of this very asking, as far as a job tells."""
        plan = Plan.from_json(job.spec)
        asked = (self.repository.lower(), self.branch, self.environment or job.environment, self.given.aws)
        return asked == (job.repository.full_name.lower(), job.ref, job.environment, plan.connection)


@dataclass(frozen=True, slots=True)
class LentProgramDesk:
    """Whoever's token it is asks: by the same rules as on every face, asked of GitHub with that token or by our app."""

    programs: ProgramDesk
    connections: Connections

    async def deploy(self, ask: LentAsk, sees: Sees) -> Job:
        """Take a deployment on, at the commit the branch is at now; it waits when this returns.

        Raises Refused("github_connection_not_found", "aws_connection_not_found", "connection_for_another",
        "idempotency_key_reused") and what the rules say no with, Permanent, Transient.
        """
        require_seen(sees, [ask.repository])
        known = await self.programs.jobs.get(ask.job_id) if ask.job_id else None
        if known is not None:
            if not ask.is_what_was_asked(known):
                raise Refused("idempotency_key_reused", deployment=known.id)
            return known
        connection = await self._require_both(ask, sees)
        facts, person = await self._asked_with(connection)
        require_seen(sees, [ask.repository, facts.repository.full_name])
        await self._require_lent(ask.given, facts)
        meant = ask.environment or await environment_of(facts, ask.branch)
        command = Command("deploy", f"/deploy {ask.branch} to {meant}", {"ref": ask.branch, "environment": meant})
        origin = Origin("api", person.login, facts.installation_id, actor_id=person.id)
        given = replace(ask.given, github=connection.id if facts.lent else None)
        job_key = f"api-{new_job_id()}"
        order = Order(command, facts.repository, origin, person.id, None, False, 0, job_key, given=given)
        used = {"key": ask.key, "github_connection": connection.id, "aws_connection": given.aws}
        return await self.programs.obeyed(order, facts, used=used, job_id=ask.job_id)

    async def _require_both(self, ask: LentAsk, sees: Sees) -> GitHubConnection:
        """The one to GitHub, which must be for this repository; the one to AWS is only looked for.

        One to a repository that the key does not see is not there for it.
        """
        connection = await self.connections.one_github(ask.github)
        known = f"{connection.owner}/{connection.repo}" if connection else ""
        if connection is None or not sees(known):
            raise Refused("github_connection_not_found")
        if known.lower() != ask.repository.lower():
            raise Refused("connection_for_another", connection=connection.id, repository=known)
        if ask.given.aws is not None and await self.connections.version_of(ask.given.aws) is None:
            raise Refused("aws_connection_not_found")
        return connection

    async def _require_lent(self, given: Given, facts: Facts) -> None:
        """To a limited key a way into AWS that is not lent to the repository is not there; the gate asks again."""
        if given.aws is None or not given.only_if_lent:
            return
        known = await self.connections.one_aws(given.aws)
        if known is None or not known.is_lent_to(facts.repository, facts.installation_id):
            raise Refused("aws_connection_not_found")

    async def _asked_with(self, connection: GitHubConnection) -> tuple[Facts, Person]:
        """Facts by our app where it is installed, else with the token; and whose the token is."""
        token = await self.connections.token_of(connection.id)
        if token is None:
            raise Refused("github_connection_not_found")
        name, github = f"{connection.owner}/{connection.repo}", self.programs.github
        client = github.lent(token, Repository(0, name))
        try:
            person = await whose(client)
            seen = await get_repository(client)
        except Permanent as refused:
            raise refused_token(refused, name) from refused
        try:
            return (await repository_named(github, name))[0], person
        except Refused:
            return lent_facts(github, token, seen.repository, seen.default_branch), person
