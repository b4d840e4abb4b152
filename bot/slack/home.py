"""A person's home in Slack: who they are at GitHub, and page by page what runs, waits and serves that they may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot import messages
from bot.clock import Clock
from bot.desk.notices import covered
from bot.errors import Permanent, Refused
from bot.gates.facts import facts_about
from bot.github.api import GitHub
from bot.github.people import Role
from bot.links import Links
from bot.locks import TIME_FORM, Lock
from bot.model import UNFINISHED, Job, Release, Repository
from bot.shown.waiting import standing
from bot.slack.api.client import SlackClient
from bot.slack.mrkdwn import cut, escaped, pieces
from bot.slack.pages import Page, page_buttons
from bot.slack.words import help_in_slack
from bot.store.jobs import JobFilter, Jobs
from bot.store.locks import Locks
from bot.store.releases import Releases
from bot.store.slack import SlackLink, SlackLinks, SlackUser

MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class Home:
    """Made anew each time somebody opens it, or turns a page."""

    github: GitHub
    slack: SlackClient
    people: SlackLinks
    jobs: Jobs
    releases: Releases
    locks: Locks
    links: Links
    clock: Clock
    locale: str = "en"

    async def show(self, user: SlackUser, page: Page = Page.UNDER_WAY) -> None:
        """Publish the person's home. Repeatable. Raises Transient, or SlackRefused."""
        link = await self.people.of(user)
        parts = [_section(self._who(link)), page_buttons(page, self.locale), _section(await self._page(page, link))]
        help_parts = [_section(part) for part in pieces(help_in_slack(self.locale))]
        await self.slack.publish_home(user.user_id, [*parts, {"type": "divider"}, *help_parts])

    def _who(self, link: SlackLink | None) -> str:
        if link is None:
            return messages.say(self.locale, "slack.not_linked")
        return messages.say(self.locale, "slack.whoami", login=escaped(link.github_login), id=link.github_id)

    async def _page(self, page: Page, link: SlackLink | None) -> str:
        lines = await self._lines(page, link) if link else []
        title = messages.say(self.locale, f"slack.home.title.{page.value}")
        return "\n".join([title, *(lines or [messages.say(self.locale, "slack.home.nothing")])])

    async def _lines(self, page: Page, link: SlackLink) -> list[str]:
        if page is Page.RELEASES:
            return [self._release(job, release) for job, release in await self._serving(link)]
        if page is Page.LOCKS:
            return await self._locked(link)
        found = await self.jobs.held() if page is Page.WAITING else await self._unfinished()
        jobs = await self._visible(link, found[:MOST_LINES])
        if page is Page.WAITING:
            return [self._waiting(job) for job in jobs if job.hold and job.hold.approvals and not _asked(job, link)]
        return [self._under_way(job) for job in jobs]

    async def _unfinished(self) -> list[Job]:
        return await self.jobs.find(JobFilter(states=UNFINISHED, limit=MOST_LINES))

    async def _serving(self, link: SlackLink) -> list[tuple[Job, Release]]:
        """What serves now, of each environment the one release, with the job that brought it."""
        releases = {release.job_id: release for release in (await self.releases.all_active())[:MOST_LINES]}
        jobs = [await self.jobs.get(job_id) for job_id in releases]
        return [(job, releases[job.id]) for job in await self._visible(link, [job for job in jobs if job])]

    async def _locked(self, link: SlackLink) -> list[str]:
        """The locks of repositories that something serves of."""
        repositories = dict.fromkeys(job.repository for job, _ in await self._serving(link))
        found = [await self.locks.of(repository.id, self.clock()) for repository in repositories]
        return [self._lock(lock) for locks in found for lock in locks]

    async def _visible(self, link: SlackLink, jobs: Sequence[Job]) -> list[Job]:
        """The jobs of repositories this person may read, as GitHub says now."""
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

    def _under_way(self, job: Job) -> str:
        return f"{self._where(job)} · {standing(job, self.locale)} · {escaped(job.origin.actor)}"

    def _waiting(self, job: Job) -> str:
        asked = messages.say(self.locale, "report.asked_by")
        return f"{self._where(job)} · {asked} {escaped(job.origin.actor)} · `/shipmate approve {job.id}`"

    def _release(self, job: Job, release: Release) -> str:
        return f"{self._where(job)} · v{release.version} · {release.live_at:%Y-%m-%d %H:%M} UTC"

    def _lock(self, lock: Lock) -> str:
        until = f" · → {lock.until:{TIME_FORM}}" if lock.until else ""
        why = f" · {escaped(messages.neutral(lock.reason))}" if lock.reason else ""
        what = covered(lock, partial(messages.say, self.locale))
        return f"• {escaped(lock.repository.full_name)} → {what} · {escaped(lock.holder)}{until}{why}"

    def _where(self, job: Job) -> str:
        where = f"{escaped(job.repository.full_name)} → `{job.environment or job.ref}`"
        return f"• {where} · <{self.links.job(job.id)}|{job.sha[:7]}>"


def _asked(job: Job, link: SlackLink) -> bool:
    """Whether it is this person's own: somebody else must approve it."""
    return job.origin.actor_id == link.github_id if job.origin.actor_id else job.origin.actor == link.github_login


def _section(text: str) -> Mapping[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text)}}
