"""Locks that people put on environments: what one is, whom it stops, and how its facts are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import Refused
from bot.model import Origin, Repository

ALL = "--all"
"""How a lock of every environment is named, as people write it."""
TIME_FORM = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class Lock:
    """Whoever holds it deploys there, and nobody else. `environment` None: every one of the repository."""

    repository: Repository
    environment: str | None
    since: datetime
    until: datetime | None
    """None: until somebody unlocks it."""
    reason: str | None
    origin: Origin
    """Who holds it, and where it was said, so that it can be spoken of there."""

    @property
    def holder(self) -> str:
        return self.origin.actor

    @property
    def name(self) -> str:
        """What stands after `/lock` and `/unlock`."""
        return self.environment or ALL

    def is_of(self, actor: str, actor_id: int | None) -> bool:
        """By the number that survives a new login, where both are known."""
        if actor_id is not None and self.origin.actor_id is not None:
            return actor_id == self.origin.actor_id
        return actor.lower() == self.holder.lower()

    def covers(self, environment: str | None) -> bool:
        """Whether it and a lock of that environment, None for all, would be about the same."""
        return self.environment is None or environment is None or self.environment == environment

    def facts(self, environment: str | None = None) -> dict[str, Any]:
        """What a reply needs, about an environment that it covers."""
        return {
            "environment": environment or self.name,
            "lock": self.name,
            "holder": self.holder,
            "reason": self.reason,
            "since": self.since.strftime(TIME_FORM),
            "until": self.until.strftime(TIME_FORM) if self.until else None,
        }


def others(locks: Iterable[Lock], environment: str | None, actor: str, actor_id: int | None) -> list[Lock]:
    """Those that cover the environment, None for all, and that somebody else holds."""
    return [lock for lock in locks if lock.covers(environment) and not lock.is_of(actor, actor_id)]


def locked(lock: Lock, environment: str | None = None) -> Refused:
    """No to everyone but the holder: with who, why, until when, and what to do."""
    return Refused("environment_locked", **lock.facts(environment))
