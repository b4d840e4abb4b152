"""What every rule of the desk holds in its hands: the house's memory, and how to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.clock import Clock
from bot.desk.order import Order
from bot.errors import Refused
from bot.gates import policy
from bot.gates.facts import Facts
from bot.gates.records import Records
from bot.links import Links
from bot.model import UNFINISHED, Job, Repository
from bot.repo_config.config import RepoConfig
from bot.store.answers import Answer
from bot.store.jobs import JobFilter


@dataclass(frozen=True, slots=True)
class Office:
    """`targets` are what this server can deploy to, its own first."""

    records: Records
    links: Links
    targets: tuple[str, ...]
    clock: Clock
    locale: str = "en"

    def say(self, key: str, /, **facts: Any) -> str:
        """A sentence for people, in the server's language."""
        return messages.say(self.locale, key, **facts)

    def answer(self, order: Order, text: str, reaction: str | None = None) -> Answer:
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

    def overview(self, repository: Repository) -> str:
        """Where all that runs and is locked in a repository can be seen, as a line of an answer."""
        return self.say("overview.link", link=self.links.overview(repository.full_name))

    async def base_config(self, order: Order, facts: Facts) -> RepoConfig:
        """The settings that hold where the order was said: the pull request's, else the default branch's."""
        if order.is_pull and order.number is not None:
            return await facts.settings_for(await facts.pull(order.number))
        return await facts.config(await facts.default_branch())

    async def require_known(self, order: Order, facts: Facts, environment: str) -> None:
        """Raises Refused("unknown_environment") for one that no settings have and that nothing was deployed to."""
        if environment not in await self.records.releases.environments(order.repository.id):
            policy.pick_environment(await self.base_config(order, facts), environment)

    async def require_job(self, order: Order) -> Job:
        """The job the order names, else the newest one asked for here. Raises Refused("job_not_found" or "no_job")."""
        job = await self.job_meant(order, finished_too=True)
        named = order.command.get("job")
        if job is None or job.repository.id != order.repository.id:
            raise Refused("job_not_found", job=named) if named else Refused("no_job")
        return job

    async def job_meant(self, order: Order, *, finished_too: bool = False) -> Job | None:
        """The job the order names, else the newest that was asked for here: under way, or `finished_too`."""
        named = order.command.get("job")
        if named is not None:
            return await self.records.jobs.get(named)
        states = () if finished_too else UNFINISHED
        asked_here = JobFilter(repository=order.repository, states=states, pull_number=order.number, limit=1)
        return next(iter(await self.records.jobs.find(asked_here)), None)
