"""Locks whose time is over end by the clock; whoever held one is told."""

from __future__ import annotations

from bot import messages
from bot.clock import Clock
from bot.desk.notices import covered, told_holder
from bot.locks import Lock
from bot.store.locks import Locks
from bot.store.slack import SlackLinks


class ExpiredLocks:
    """A lock stops nobody from the moment it is over; this only tells of it."""

    def __init__(self, locks: Locks, links: SlackLinks, clock: Clock, locale: str = "en") -> None:
        self._locks = locks
        self._links = links
        self._clock = clock
        self._locale = locale

    async def look(self) -> int:
        """Answers how many ended."""
        return sum([await self._end(lock) for lock in await self._locks.expired(self._clock())])

    async def _end(self, lock: Lock) -> bool:
        def worded(called: str) -> str:
            what = covered(lock, lambda key: messages.say(self._locale, key))
            repository = lock.repository.full_name
            return messages.say(self._locale, "lock.told_expired", called=called, what=what, repository=repository)

        key = f"lock-{lock.repository.id}-{lock.environment or 'all'}-{int(lock.since.timestamp())}"
        return await self._locks.expire(lock, await told_holder(self._links, lock, key, worded), self._clock())
