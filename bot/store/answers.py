"""Replies that are no job's report, and where they are said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Repository


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """Where in Slack an answer is said."""

    channel: str
    user: str | None = None
    """Only this person sees it; None: everyone in the channel."""
    thread: str | None = None
    """Under this message, by its ts."""
    response_url: str | None = None
    """Slack's own way to answer one command or click: half an hour, five times."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is no job's report (a refusal, a status, help). Delivered once; `key` makes it findable."""

    key: str
    repository: Repository
    installation_id: int
    number: int | None
    """Pull request or issue; None where there is none, as for a push."""
    body: str
    """Markdown; empty: only the reaction."""
    comment_id: int | None = None
    reaction: str | None = None
    """`eyes`, `rocket`, `confused`, `+1` on the asking comment."""
    check_sha: str | None = None
    """Also shown as a check run of this commit, when set."""
    check_name: str | None = None
    """The check run's name; None: that of a deployment to production."""
    check_conclusion: str = "action_required"
    slack: SlackPlace | None = None
    """Said there, in Slack's markup, and nowhere at GitHub, when set."""


class Answers(Protocol):
    """Replies that are no job's report, waiting to be sent."""

    async def due(self, now: datetime, limit: int = 50) -> list[tuple[int, Answer, int]]:
        """(row id, answer, attempts), oldest first."""

    async def take(self, row_id: int, attempts: int, until: datetime) -> bool:
        """Count an attempt before it is made; nobody else makes one until then, and who does looks what was said.

        False when somebody has taken it since it had so many `attempts`.
        """

    async def sent(self, row_id: int, note: str) -> None: ...

    async def postpone(self, row_id: int, until: datetime, reason: str) -> None: ...
