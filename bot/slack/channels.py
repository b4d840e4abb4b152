"""What a channel is about: said by those who maintain the repository, meant by all who name none there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bot import messages
from bot.clock import Clock
from bot.desk.facts import Facts
from bot.errors import Refused
from bot.github.api import GitHub
from bot.github.people import Role
from bot.grammar import Command
from bot.policy import require_role
from bot.slack.repositories import repository_named
from bot.slack.requests import SlackSaid
from bot.slack.words import CHANNEL_ROLE, STARTS_A_JOB, Asked
from bot.store import ChannelBinding, SlackChannels, SlackLink


@dataclass(frozen=True, slots=True)
class Channels:
    """The bindings. One gives nobody a right: whoever speaks is judged as everywhere."""

    github: GitHub
    bindings: SlackChannels
    clock: Clock
    locale: str = "en"

    async def meant(self, asked: Asked, channel: str) -> ChannelBinding | None:
        """The channel's binding, where the command names no repository itself."""
        return await self.bindings.of(channel) if asked.repository is None else None

    async def answer(self, asked: Asked, link: SlackLink, said: SlackSaid) -> str:
        """The answer to `bind` or `unbind`. Repeatable. Raises Refused for one who does not maintain old and new."""
        channel = said.where.channel
        await self._require_maintainer_of_known(channel, link, asked.command.name)
        if asked.repository is None:
            await self.bindings.unbind(channel)
            return messages.say(self.locale, "slack.unbound")
        facts, repository = await repository_named(self.github, asked.repository)
        await _require_maintainer(facts, asked.repository, link, asked.command.name)
        binding = ChannelBinding(repository, asked.command.arguments.get("environment"))
        await self.bindings.bind(channel, binding, self.clock())
        user = f"<@{said.speaker.user.user_id}>"
        environment = binding.environment
        return messages.say(
            self.locale, "slack.bound", user=user, repository=repository.full_name, environment=environment
        )

    async def _require_maintainer_of_known(self, channel: str, link: SlackLink, word: str) -> None:
        """A binding to a repository that is gone may be changed by anyone."""
        known = await self.bindings.of(channel)
        if known is None:
            return
        name = known.repository.full_name
        try:
            facts, _ = await repository_named(self.github, name)
        except Refused:
            return
        await _require_maintainer(facts, name, link, word)


async def _require_maintainer(facts: Facts, name: str, link: SlackLink, word: str) -> None:
    role = await facts.role(link.github_login, link.github_id)
    if role is Role.NONE:
        raise Refused("repository_unknown", repository=name)
    require_role(link.github_login, role, f"shipmate {word}", CHANNEL_ROLE)


def with_environment(command: Command, binding: ChannelBinding | None) -> Command:
    """Where the channel is about an environment, that one is meant unless another is said."""
    if binding is None or binding.environment is None or command.name not in STARTS_A_JOB:
        return command
    return dataclasses.replace(command, arguments={"environment": binding.environment, **command.arguments})
