"""Looks at what is there and says what would become of it, part by part; it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from aws.provision.site import Found, Part, Site
from bot.ports.ground import PartAction, PlannedPart


async def survey(site: Site, parts: Sequence[Part]) -> dict[str, Found]:
    """Part → what is there of it. What can only be within something that is not there is not asked for."""
    seen: dict[str, Found] = {}
    for part in parts:
        found = await part.look(site) if part.within is None or part.within in seen else None
        if found is not None:
            seen[part.name] = found
            site.ids[part.name] = found.id
    return seen


def planned(site: Site, parts: Sequence[Part], seen: dict[str, Found]) -> tuple[PlannedPart, ...]:
    """What `apply` would do. Pure."""
    return tuple(step(site, part, seen.get(part.name)) for part in parts)


def doomed(site: Site, parts: Sequence[Part], seen: dict[str, Found]) -> tuple[PlannedPart, ...]:
    """What `destroy` would do: everything of ours goes, in the order it goes in. Pure."""
    there = [(part, seen[part.name]) for part in reversed(parts) if part.name in seen]
    return tuple(_step(site, part, found, PartAction.DELETE) for part, found in there if not found.adopted)


def step(site: Site, part: Part, found: Found | None) -> PlannedPart:
    """What becomes of one part."""
    if found is None:
        return PlannedPart(PartAction.CREATE, part.name, part.kind, part.title(site.wish))
    if found.adopted:
        return _step(site, part, found, PartAction.ADOPT)
    return _step(site, part, found, PartAction.CHANGE if found.lacks else PartAction.KEEP)


def _step(site: Site, part: Part, found: Found, action: PartAction) -> PlannedPart:
    changes = ", ".join(found.lacks) if action is PartAction.CHANGE else ""
    return PlannedPart(action, part.name, part.kind, part.title(site.wish), found.id, changes)
