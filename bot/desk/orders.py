"""One order a person gave, decided: each command's own rules, the same whichever face it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot import messages, policy
from bot.commands import COMMANDS, Command
from bot.desk.facts import Facts
from bot.desk.outcome import Outcome
from bot.desk.requests import deploy_request, rollback_request
from bot.desk.status import status_text
from bot.errors import Refused
from bot.github.pulls import PullRequest
from bot.links import Links
from bot.model import FINAL_STATES, Job, JobState, Origin, Repository
from bot.repo_config import RepoConfig
from bot.reporters.markdown import help_text
from bot.store import Answer, Deliveries, JobFilter, Jobs, Releases

UNFINISHED = tuple(state for state in JobState if state not in FINAL_STATES)


@dataclass(frozen=True, slots=True)
class Records:
    """What the desk looks up in the house's own memory."""

    deliveries: Deliveries
    jobs: Jobs
    releases: Releases


@dataclass(frozen=True, slots=True)
class Order:
    """A command with where, by whom and when it was said. `received_seq` is its delivery's order of receipt."""

    command: Command
    repository: Repository
    origin: Origin
    actor_id: int | None
    number: int | None
    is_pull: bool
    received_seq: int
    key: str
    """Names the order among all: its answer is found again by it."""
    known_sha: str | None = None
    """A commit this server took on before, so that it need not be in a branch any more."""


class OrderDesk:
    """Decides on orders. `targets` are what this server can deploy to, its own first."""

    def __init__(self, records: Records, links: Links, targets: tuple[str, ...], locale: str = "en") -> None:
        self._records = records
        self._links = links
        self._targets = targets
        self._locale = locale
        self._rules: Mapping[str, Callable[[Order, Facts], Awaitable[Outcome]]] = {
            "deploy": self._deploy,
            "rollback": self._rollback,
            "status": self._status,
            "cancel": self._cancel,
            "help": self._help,
        }

    async def decide(self, order: Order, facts: Facts) -> Outcome:
        """What the order leads to. Raises Refused, or Transient when GitHub cannot be asked."""
        spec = COMMANDS[order.command.name]
        if spec.needs != "none":
            role = await facts.role(order.origin.actor, order.actor_id)
            policy.require_role(order.origin.actor, role, spec.name, spec.needs)
        return await self._rules[spec.name](order, facts)

    async def _deploy(self, order: Order, facts: Facts) -> Outcome:
        ref = order.command.arguments.get("ref")
        if ref is None and order.is_pull and order.number is not None:
            return await self._deploy_pull(order, facts, order.number)
        if ref is None:
            raise Refused("pull_needed")
        commit = facts.commit(ref, is_ours=ref == order.known_sha)
        config, sha = await asyncio.gather(self._base_config(order, facts), commit)
        return self._accept(order, config, sha, ref, None)

    async def _deploy_pull(self, order: Order, facts: Facts, number: int) -> Outcome:
        pull = await facts.pull(number)
        policy.require_deployable(pull)
        told = await self._records.deliveries.latest_head(order.repository.id, number)
        policy.require_still_head(pull, told, order.received_seq)
        config = await facts.config(pull.base_ref)
        return self._accept(order, config, pull.head_sha, pull.head_ref, pull)

    def _accept(self, order: Order, config: RepoConfig, sha: str, ref: str, pull: PullRequest | None) -> Outcome:
        environment = policy.pick_environment(config, order.command.arguments.get("environment"))
        job = deploy_request(
            order.repository,
            config,
            environment,
            sha=sha,
            ref=ref,
            origin=order.origin,
            targets=self._targets,
            follows_pull=pull.number if pull else None,
        )
        return Outcome("acted", "deploy_asked", jobs=(job,))

    async def _base_config(self, order: Order, facts: Facts) -> RepoConfig:
        """The settings of the base branch: the pull request's base where there is one, else the default branch."""
        if order.is_pull and order.number is not None:
            return await facts.config((await facts.pull(order.number)).base_ref)
        return await facts.config(await facts.default_branch())

    async def _rollback(self, order: Order, facts: Facts) -> Outcome:
        config = await self._base_config(order, facts)
        environment = policy.pick_environment(config, order.command.arguments.get("environment"))
        releases = await self._records.releases.recent(order.repository.id, environment.name)
        release = policy.pick_release(releases, environment.name)
        return Outcome("acted", "rollback_asked", jobs=(rollback_request(order.repository, release, order.origin),))

    async def _status(self, order: Order, facts: Facts) -> Outcome:
        only = order.command.arguments.get("environment")
        names = await self._records.releases.environments(order.repository.id)
        active = [await self._records.releases.active(order.repository.id, name) for name in names]
        busy = await self._records.jobs.find(JobFilter(repository=order.repository.full_name, states=UNFINISHED))
        text = status_text(
            order.repository,
            [release for release in active if release and only in {None, release.environment}],
            [job for job in busy if only in {None, job.environment}],
            self._links,
            self._locale,
        )
        return Outcome("acted", "status_told", answers=(self.answer(order, text, None),))

    async def _cancel(self, order: Order, facts: Facts) -> Outcome:
        job_id = order.command.arguments.get("job")
        job = policy.pick_cancellable(await self._job_meant(order, job_id), job_id, order.repository.id)
        text = messages.say(self._locale, "cancel.asked", job=job.id)
        answer = self.answer(order, text, "+1")
        return Outcome("acted", "cancel_asked", cancels=((job.id, order.origin.actor),), answers=(answer,))

    async def _job_meant(self, order: Order, job_id: str | None) -> Job | None:
        """The job named, or the newest under way that was asked for here."""
        if job_id is not None:
            return await self._records.jobs.get(job_id)
        asked_here = JobFilter(
            repository=order.repository.full_name, states=UNFINISHED, pull_number=order.number, limit=1
        )
        return next(iter(await self._records.jobs.find(asked_here)), None)

    async def _help(self, order: Order, facts: Facts) -> Outcome:
        wanted = order.command.arguments.get("command", "").removeprefix("/")
        text = help_text(self._locale, wanted if wanted in COMMANDS else None)
        return Outcome("acted", "help_told", answers=(self.answer(order, text, None),))

    def answer(self, order: Order, text: str, reaction: str | None) -> Answer:
        """A reply to the order, where it was said."""
        return Answer(
            key=order.key,
            repository=order.repository,
            installation_id=order.origin.installation_id,
            number=order.number,
            body=text,
            comment_id=order.origin.comment_id,
            reaction=reaction,
        )
