"""What was provided, noted in the tags of the environment's own cluster, so that the next deployment asks only once."""

from __future__ import annotations

from collections.abc import Mapping

from aws import tags
from aws.provision.running import described
from aws.provision.site import Site

WISH = "shipmate:provided"
AT = "shipmate:at:"


async def write(site: Site, own: Mapping[str, str]) -> None:
    """Note that all is there, and by which id or ARN each part that is ours. Repeatable.

    A cluster that was given is not written on.
    """
    if site.wish.given.get("cluster"):
        return
    marks = {**{f"{AT}{name}": known for name, known in own.items()}, WISH: site.wish.digest}
    if not marks.items() <= site.noted.items():
        await site.call("ecs", "TagResource", resourceArn=site.ids["cluster"], tags=tags.lower(marks))


async def read(site: Site) -> bool:
    """Whether all was provided for this very wish; then `site.ids` says what. One call, none with a given cluster."""
    if site.wish.given.get("cluster"):
        return False
    known = await described(site)
    marks = tags.read(known.get("tags", [])) if known else {}
    if marks.get(tags.OWNER) != site.wish.owner or marks.get(WISH) != site.wish.digest:
        return False
    site.ids.update(_noted(marks))
    return True


async def forget(site: Site) -> None:
    """From now on nothing counts as provided. Repeatable."""
    await site.call("ecs", "UntagResource", resourceArn=site.ids["cluster"], tagKeys=[WISH])


def _noted(marks: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(AT): value for name, value in marks.items() if name.startswith(AT)}
