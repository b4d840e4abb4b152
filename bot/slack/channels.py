"""What a channel is about: said by those who maintain the repository, meant by all who name none there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bot import messages
from bot.clock import Clock
from bot.errors import Refused
from bot.gates.facts import Facts
from bot.gates.policy import require_role
from bot.gates.repositories import repository_named
from bot.github.api import GitHub
from bot.github.people import Role
from bot.grammar import Command
from bot.slack.inbound.requests import SlackSaid
from bot.slack.words import CHANNEL_ROLE, Asked
from bot.store.slack import ChannelBinding, Noise, SlackChannels, SlackLink

OF_ONE_ENVIRONMENT = frozenset({"deploy", "rollback", "lock", "unlock", "queue"})
"""Commands that mean the channel's environment where they name none."""


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
        """The answer to `bind`, `noise` or `unbind`. Repeatable. Raises Refused for one who does not maintain both."""
        channel, name = said.where.channel, asked.command.name
        await self._require_maintainer_of_known(channel, link, name)
        if asked.repository is not None:
            return await self._bind(asked.repository, asked.command, link, said)
        if name == "noise":
            return await self._change_noise(channel, asked.command)
        await self.bindings.unbind(channel)
        return messages.say(self.locale, "slack.unbound")

    async def _bind(self, name: str, command: Command, link: SlackLink, said: SlackSaid) -> str:
        facts, repository = await repository_named(self.github, name)
        await _require_maintainer(facts, name, link, command.name)
        noise = Noise(command.get("noise") or Noise.ENDS)
        binding = ChannelBinding(repository, command.get("environment"), noise)
        await self.bindings.bind(said.where.channel, binding, self.clock())
        return messages.say(
            self.locale,
            "slack.bound",
            user=f"<@{said.speaker.user.user_id}>",
            repository=repository.full_name,
            environment=binding.environment,
            noise=messages.say(self.locale, f"slack.noise.{noise.value}"),
        )

    async def _change_noise(self, channel: str, command: Command) -> str:
        """Raises Refused("channel_not_bound")."""
        known = await self.bindings.of(channel)
        if known is None:
            raise Refused("channel_not_bound")
        noise = Noise(command.arguments["noise"])
        await self.bindings.bind(channel, dataclasses.replace(known, noise=noise), self.clock())
        return messages.say(
            self.locale,
            "slack.noise",
            repository=known.repository.full_name,
            noise=messages.say(self.locale, f"slack.noise.{noise.value}"),
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
    if binding is None or binding.environment is None or command.name not in OF_ONE_ENVIRONMENT:
        return command
    if command.has("all"):
        return command
    return dataclasses.replace(command, arguments={"environment": binding.environment, **command.arguments})
