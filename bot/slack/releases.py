"""What Slack shows of releases: those that can be gone back to, newest first, and the words that do it."""

from __future__ import annotations

from dataclasses import dataclass

from bot import messages
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.github.people import Role
from bot.grammar import Command
from bot.model import Release, Repository
from bot.slack.mrkdwn import escaped
from bot.store.releases import KEPT_RELEASES, Releases
from bot.store.slack import ChannelBinding, SlackLink


@dataclass(frozen=True, slots=True)
class Shelf:
    """The kept releases of a repository's environments."""

    releases: Releases
    locale: str = "en"

    async def told_to(self, link: SlackLink, command: Command, repository: Repository, facts: Facts) -> str:
        """To a linked person. Raises Refused("repository_unknown") for one who may not read it."""
        if await facts.role(link.github_login, link.github_id) < Role.READ:
            raise Refused("repository_unknown", repository=repository.full_name)
        return await self._told(repository, command.get("environment"))

    async def told_in(self, binding: ChannelBinding, command: Command) -> str:
        """To whoever is in a channel that is about the repository, as far as the channel is about it."""
        return await self._told(binding.repository, binding.environment or command.get("environment"))

    async def _told(self, repository: Repository, only: str | None) -> str:
        names = [only] if only else sorted(await self.releases.environments(repository.id))
        parts = [await self._environment(repository, name) for name in names]
        known = [part for part in parts if part] or [messages.say(self.locale, "slack.releases.none")]
        title = messages.say(self.locale, "slack.releases.title", repository=escaped(repository.full_name))
        return "\n".join([title, *known])

    async def _environment(self, repository: Repository, name: str) -> str:
        kept = await self.releases.recent(repository.id, name, limit=KEPT_RELEASES + 1)
        lines = [self._line(repository, release) for release in kept]
        return "\n".join([f"*{name}*", *lines]) if lines else ""

    def _line(self, repository: Repository, release: Release) -> str:
        since = f"{release.live_at:%Y-%m-%d %H:%M} UTC"
        facts = {"version": release.version, "sha": release.sha[:7], "since": since}
        if release.active:
            return messages.say(self.locale, "slack.releases.serves", **facts)
        back = f"/shipmate rollback {repository.full_name} {release.environment} to {release.version}"
        return messages.say(self.locale, "slack.releases.before", back=back, **facts)
