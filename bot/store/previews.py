"""Environments of pull requests, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Repository
from bot.previews import preview_environment
from bot.store.answers import Answer
from bot.store.changes import EndPreview


@dataclass(frozen=True, slots=True)
class Preview:
    """A pull request's preview. `ending` says why it ends: `stopped`, `expired`, `closed` or `gone`; None: it is open.

    `down`: nothing of it is left.
    """

    repository: Repository
    installation_id: int
    number: int
    ends_at: datetime
    ending: str | None = None
    ended_by: str | None = None
    down: bool = False

    @property
    def environment(self) -> str:
        return preview_environment(self.number)


class Previews(Protocol):
    """The previews of pull requests, and those that were stopped while the pull request is open."""

    async def of(self, repository_id: int, number: int) -> Preview | None: ...

    async def all_open(self) -> list[Preview]: ...

    async def ending(self) -> list[Preview]:
        """Those that end and are not down yet."""

    async def end(self, end: EndPreview, answer: Answer | None, now: datetime) -> bool:
        """End one that is open, and say so where there is something to say. False when it was not open."""

    async def is_down(self, preview: Preview) -> None:
        """Nothing is left: its releases are forgotten, and it too, unless it was stopped and may not come by itself."""
