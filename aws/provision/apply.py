"""Makes what is missing and mends what is not as it should be, once, whatever happens to answers and processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aws.provision import index
from aws.provision.parts import parts_of
from aws.provision.plan import step, survey
from aws.provision.site import Found, Part, Site
from aws.repeat import settled
from bot.ports.ground import PartAction, PartTold


async def apply(site: Site, told: PartTold = lambda part: None) -> None:
    """Everything is there afterwards, and `site.ids` says what. Repeatable, also after a crash and by two at once.

    Raises what `aws_errors` says, Permanent("aws_name_taken"), and what `parts_of` says.
    """
    parts = parts_of(site.wish)
    seen, own = await survey(site, parts), dict[str, str]()
    for part in parts:
        done = step(site, part, seen.get(part.name))
        found = await ensured(site, part, seen.get(part.name))
        site.ids[part.name] = found.id
        own |= {} if found.adopted else {part.name: found.id}
        if done.action not in {PartAction.KEEP, PartAction.ADOPT}:
            told(replace(done, id=found.id))
    await index.write(site, own)


async def ensured(site: Site, part: Part, seen: Found | None) -> Found:
    """One part, there and whole. `seen` is what a look a moment ago found, so that it is not looked for again."""
    looks: Sequence[Found | None] = [seen]
    state = seen

    async def look() -> Found | None:
        nonlocal state, looks
        state, looks = (looks[0] if looks else await part.look(site)), ()
        return state if state is not None and not state.lacks else None

    async def bring() -> Found | None:
        have = state or await part.make(site)
        if have is None:
            return None
        if have.lacks:
            await part.mend(site, have)
        return replace(have, lacks=())

    return await settled(look, bring, site.waits.first_pause_s)
