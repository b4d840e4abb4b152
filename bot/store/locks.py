"""Environments that somebody keeps to themselves for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.locks import Lock
from bot.store.answers import Answer


class Locks(Protocol):
    """What people locked."""

    async def of(self, repository_id: int, now: datetime) -> list[Lock]:
        """Those that hold at `now`, the one of all environments first."""

    async def named(self, repository: str, now: datetime) -> list[Lock]:
        """The same of the repository that was called so when they were put, whose number nobody here knows."""

    async def expired(self, now: datetime) -> list[Lock]:
        """Those whose time is over."""

    async def expire(self, lock: Lock, notices: Sequence[Answer], now: datetime) -> bool:
        """Forget one whose time is over, tell its holder and the audit trail. False when it is gone already."""
