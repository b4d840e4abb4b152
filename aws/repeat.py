"""Makes things once though answers get lost: look, make in a single attempt, and look again before making another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import Transient

TRIES = 5
FIRST_PAUSE_S = 1.0

Found = TypeVar("Found")


async def settled(
    look: Callable[[], Awaitable[Found | None]],
    make: Callable[[], Awaitable[Found | None]],
    first_pause_s: float = FIRST_PAUSE_S,
) -> Found:
    """What `look` finds, else what `make` made. Raises the last Transient when that goes wrong again and again.

    `make` is one attempt; it answers None where only a look can tell what became of it. Between a lost answer and the
    next look there is a pause that doubles: what was made may take a moment to show.
    """
    pause_s, lost = first_pause_s, Transient("aws_unavailable", operation="look", message="it did not show")
    for _ in range(TRIES):
        found = await look()
        if found is not None:
            return found
        try:
            made = await make()
            if made is not None:
                return made
        except Transient as passing:
            lost = passing
        await asyncio.sleep(max(pause_s, lost.retry_after_s or 0.0))
        pause_s *= 2
    found = await look()
    if found is None:
        raise lost
    return found


def token(*parts: str) -> str:
    """An idempotency token: the same for the same parts, 32 of [0-9a-f]."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
