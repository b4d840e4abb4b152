"""Whether an environment takes something of somebody now: not while somebody else has it locked."""

from __future__ import annotations

from datetime import datetime

from bot.locks import locked, others
from bot.store.locks import Locks


async def require_unlocked(
    locks: Locks, repository_id: int, environment: str, actor: str, actor_id: int | None, now: datetime
) -> None:
    """Raises Refused("environment_locked"), or Transient when the locks cannot be read: not known is not free."""
    in_the_way = others(await locks.of(repository_id, now), environment, actor, actor_id)
    if in_the_way:
        raise locked(in_the_way[0], environment)
