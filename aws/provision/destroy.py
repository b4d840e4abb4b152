"""Deletes what was made for one environment, last made first; what was given, or made by somebody else, stays."""

from __future__ import annotations

from collections.abc import Sequence

from aws.errors import AwsRefusal
from aws.provision import index
from aws.provision.building import BuildRole, Project
from aws.provision.leftovers import Images, Secrets, Service
from aws.provision.parts import everything_of
from aws.provision.plan import doomed, survey
from aws.provision.site import Found, Part, Site
from bot.errors import Permanent
from bot.ports.ground import PartTold, PlannedPart

ROUNDS = 5
"""Of what was made twice by accident, one goes in each."""
_STILL_USED = frozenset(
    {
        "ClusterContainsServicesException",
        "ClusterContainsTasksException",
        "DependencyViolation",
        "DeleteConflict",
        "ResourceInUse",
        "ResourceInUseException",
        "UpdateInProgressException",
    }
)
"""What held it goes a little later: a load balancer's and tasks' places in the network, say."""


async def doom(site: Site, images: str | None = None) -> tuple[PlannedPart, ...]:
    """What `destroy` would delete, in that order."""
    parts = _parts(site, images)
    return doomed(site, parts, await _ours(site, parts))


async def destroy(site: Site, told: PartTold = lambda part: None, images: str | None = None) -> None:
    """Nothing of ours is left afterwards. Repeatable, also after a crash, and after an `apply` that went half way.

    `images` names the repository of images that goes too, with the secrets and what builds need.
    Raises what `aws_errors` says, Permanent("aws_waited_in_vain"), Permanent("aws_still_stated", names).
    """
    parts = _parts(site, images)
    there = {part.name: part for part in parts}
    for _ in range(ROUNDS):
        site.ids.clear()
        seen = await _ours(site, parts)
        if not seen:
            return
        if "cluster" in seen:
            await index.forget(site)
        for step in doomed(site, parts, seen):
            await _remove(site, there[step.part], seen[step.part])
            told(step)


def _parts(site: Site, images: str | None) -> Sequence[Part]:
    shared: tuple[Part, ...] = ()
    if images is not None:
        shared = (Secrets(), Images(images), BuildRole(images), Project(site.wish.repository))
    return (*shared, *everything_of(site.wish), Service())


async def _ours(site: Site, parts: Sequence[Part]) -> dict[str, Found]:
    """What is there of ours. Raises Permanent("aws_still_stated") where the settings count on some of it."""
    seen = await survey(site, parts)
    values = [value for name, value in site.wish.given.items() if name != "service"]
    stated = {str(one) for value in values for one in (value if isinstance(value, list) else [value])}
    counted_on = [found.id for found in seen.values() if {found.id, found.id.rpartition("/")[2]} & stated]
    if counted_on:
        raise Permanent("aws_still_stated", names=counted_on)
    return seen


async def _remove(site: Site, part: Part, found: Found) -> None:
    async def gone() -> bool:
        try:
            await part.remove(site, found)
        except AwsRefusal as refusal:
            if refusal.aws_code not in _STILL_USED:
                raise
            return False
        return True

    await site.until(gone, part.title(site.wish))
