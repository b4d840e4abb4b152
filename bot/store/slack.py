"""Who is who in Slack, and what its channels are about."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Repository
from bot.store.answers import Answer


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A person in a Slack workspace, by the ids that survive a new name."""

    team_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class SlackLink:
    """The GitHub account of a person in Slack, proven by signing in there. The login is as it was then."""

    user: SlackUser
    github_id: int
    github_login: str


@dataclass(frozen=True, slots=True)
class LinkTicket:
    """Leave to link one person, given to them alone. The names are what the page shows, the channel where to tell."""

    user: SlackUser
    user_name: str
    team_name: str
    channel: str


class SlackLinks(Protocol):
    """Who is who: people in Slack and their GitHub accounts."""

    async def of(self, user: SlackUser) -> SlackLink | None: ...

    async def people(self, github_id: int) -> list[SlackUser]:
        """Who in Slack is linked to this account."""

    async def unlink(self, user: SlackUser) -> bool:
        """False when there was no link. Tickets not used yet end too."""

    async def offer(self, secret: str, ticket: LinkTicket, expires_at: datetime) -> None:
        """Keep a ticket under the hash of its secret. Repeatable."""

    async def ticket(self, secret: str, now: datetime) -> LinkTicket | None:
        """The ticket while it is neither used nor expired."""

    async def redeem(self, secret: str, link: SlackLink, answer: Answer, now: datetime) -> bool:
        """Use the ticket up, keep the link in place of an earlier one, and have the answer said. False when it is over
        or another person's: then nothing is written."""

    async def prune(self, now: datetime) -> int:
        """Forget the tickets that have expired; answers how many."""


class Noise(enum.StrEnum):
    """How much a channel in Slack is told of jobs that were not asked for in it."""

    ALL = "all"
    """Each from its start, as those that were asked for there."""
    ENDS = "ends"
    """When it has ended, or waits for somebody's approval."""
    FAILURES = "failures"
    """When it has ended badly, or waits for somebody's approval."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """What a channel in Slack is about: said there, a command means this repository, and this environment if any."""

    repository: Repository
    environment: str | None = None
    noise: Noise = Noise.ENDS


@dataclass(frozen=True, slots=True)
class BoundChannel:
    """A channel that is told of a repository's jobs, those that were asked for since."""

    channel: str
    binding: ChannelBinding
    since: datetime


class SlackChannels(Protocol):
    """What channels in Slack are about."""

    async def of(self, channel: str) -> ChannelBinding | None: ...

    async def bind(self, channel: str, binding: ChannelBinding, now: datetime) -> None:
        """In place of an earlier binding. Repeatable."""

    async def unbind(self, channel: str) -> bool:
        """False when there was none."""

    async def about(self, repository_id: int) -> list[BoundChannel]:
        """The channels that are told of this repository's jobs, each as loud as it was set."""
