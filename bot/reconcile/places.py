"""Keeps the table of installations as GitHub has them, for those who ask without the server."""

from __future__ import annotations

from dataclasses import dataclass

from bot.asked import Place, PlaceTable
from bot.github.app import Installation, installations
from bot.github.client.client import Client


def place_of(installation: Installation) -> Place:
    """What the table keeps of one."""
    return Place(installation.id, installation.account, installation.account_id, installation.suspended)


@dataclass(frozen=True, slots=True)
class KeptPlaces:
    """Compares the whole: a webhook that never came changes nothing."""

    app: Client
    places: PlaceTable

    async def look(self) -> int:
        """Answers how many were out of date. What is gone is removed first: a renamed account keeps its number."""
        now = {place_of(one) for one in await installations(self.app)}
        kept = set(await self.places.all())
        for place in kept - now:
            await self.places.remove(place)
        for place in now - kept:
            await self.places.put(place)
        return len(now ^ kept)
