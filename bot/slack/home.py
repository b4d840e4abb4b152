"""A person's home in Slack: who they are at GitHub, and the jobs under way that they may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.desk.facts import facts_about
from bot.errors import Permanent, Refused
from bot.github.api import GitHub
from bot.github.people import Role
from bot.links import Links
from bot.model import UNFINISHED, Job, Repository
from bot.slack.client import SlackClient
from bot.slack.mrkdwn import cut, escaped
from bot.slack.words import help_in_slack
from bot.store import JobFilter, Jobs, SlackLink, SlackLinks, SlackUser

MOST_JOBS = 30


@dataclass(frozen=True, slots=True)
class Home:
    """Made anew each time somebody opens it."""

    github: GitHub
    slack: SlackClient
    people: SlackLinks
    jobs: Jobs
    links: Links
    locale: str = "en"

    async def show(self, user: SlackUser) -> None:
        """Publish the person's home. Repeatable. Raises Transient, or SlackRefused."""
        link = await self.people.of(user)
        parts = [self._who(link), await self._under_way(link), help_in_slack(self.locale)]
        await self.slack.publish_home(user.user_id, [_section(part) for part in parts])

    def _who(self, link: SlackLink | None) -> str:
        if link is None:
            return messages.say(self.locale, "slack.not_linked")
        return messages.say(self.locale, "slack.whoami", login=escaped(link.github_login), id=link.github_id)

    async def _under_way(self, link: SlackLink | None) -> str:
        jobs = await self._visible(link) if link else []
        lines = [self._line(job) for job in jobs] or [messages.say(self.locale, "slack.home.nothing")]
        return "\n".join([messages.say(self.locale, "slack.home.title"), *lines])

    async def _visible(self, link: SlackLink) -> list[Job]:
        """The jobs of repositories this person may read, as GitHub says now."""
        jobs = await self.jobs.find(JobFilter(states=UNFINISHED, limit=MOST_JOBS))
        repositories = {job.repository: job.origin.installation_id for job in jobs}
        seen = {one for one, number in repositories.items() if await self._may_read(link, one, number)}
        return [job for job in jobs if job.repository in seen]

    async def _may_read(self, link: SlackLink, repository: Repository, installation_id: int) -> bool:
        """An error means no."""
        try:
            facts = await facts_about(self.github, installation_id or None, repository)
            return await facts.role(link.github_login, link.github_id) >= Role.READ
        except (Refused, Permanent):
            return False

    def _line(self, job: Job) -> str:
        state = messages.say(self.locale, f"report.title.{job.state.value}", environment=job.environment)
        where = f"{escaped(job.repository.full_name)} → `{job.environment}`"
        return f"• {where} · <{self.links.job(job.id)}|{job.sha[:7]}> · {state} · {escaped(job.origin.actor)}"


def _section(text: str) -> Mapping[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text)}}
