"""What an environment stands on: as its settings state it, as it was provided before, or made for it when it asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from aws.clients import AwsClients
from aws.place import BLUE_GREEN, REQUIRED, Place, place_of
from aws.provision import index
from aws.provision.apply import apply
from aws.provision.balancing import REDIRECT
from aws.provision.destroy import destroy, doom
from aws.provision.parts import parts_of
from aws.provision.plan import planned, survey
from aws.provision.presence import is_whole
from aws.provision.site import Site, Waits
from aws.provision.wish import Wish, wish_of
from bot.errors import Permanent
from bot.ports.ground import PartAction, PartTold, PlannedPart
from bot.ports.rollouts import RolloutSpec

KEPT_S = 600.0
"""How long a process believes what it found: the stages of one deployment ask again and again."""
SETTINGS = {
    "cluster": "cluster",
    "log-group": "log_group",
    "rule": "listener_rule",
    "test-rule": "test_listener_rule",
    "blue": "target_group",
    "green": "alternate_target_group",
    "execution-role": "execution_role",
    "infrastructure-role": "infrastructure_role",
}
"""Part → the setting that it is instead of."""
DISPENSABLE = frozenset({REDIRECT.name})
"""What a deployment can do without: an environment that was made before there was such a thing goes on."""


class ProvisionedPlaces:
    """A `PlaceSource` and a `ports.Ground` in one account. `owner` marks what this installation makes."""

    def __init__(
        self,
        clients: AwsClients,
        owner: str,
        *,
        waits: Waits | None = None,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients, self._owner = clients, owner
        self._waits, self._kept_s, self._clock = waits or Waits(), kept_s, clock
        self._kept: dict[str, tuple[float, Place]] = {}

    async def __call__(self, spec: RolloutSpec) -> Place:
        """The place. Nothing is made. One call at the most where it was provided, none for what was just looked at.

        Raises Permanent("ecs_not_provisioned", names, repository, environment) naming what is missing.
        """
        wish = self._wish(spec)
        kept = self._known(wish)
        if kept is not None:
            return kept
        if _is_stated(wish):
            return self._keep(wish, {"cluster": "default"})
        site = self._site(wish)
        if not await index.read(site):
            _require_whole(wish, await self._looked(site))
        return self._keep(wish, site.ids)

    async def planned(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """What would become of each part; empty where nothing has to be done before a deployment.

        Asked anew each time: somebody may have deleted a part since it was noted. Raises
        Permanent("ecs_not_provisioned") where something is missing and may not be made unasked.
        """
        wish = self._wish(spec)
        if _is_stated(wish):
            return ()
        noted = self._site(wish)
        if await index.read(noted) and await is_whole(noted):
            self._keep(wish, noted.ids)
            return ()
        site = self._site(wish)
        steps = await self._looked(site)
        if not wish.may_make:
            _require_whole(wish, steps)
        elif _to_do(steps):
            return steps
        self._keep(wish, site.ids)
        return ()

    async def looked_at(self, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
        """What is there and what `provide` would do, whatever was noted or kept before."""
        return await self._looked(self._site(self._wish(spec)))

    async def provide(self, spec: RolloutSpec, told: PartTold) -> None:
        """Make and mend all that is needed. Repeatable."""
        wish = self._wish(spec)
        site = self._site(wish)
        await apply(site, told)
        self._keep(wish, site.ids)

    async def doomed(self, spec: RolloutSpec, images: str | None) -> tuple[PlannedPart, ...]:
        """What `remove` would delete."""
        return await doom(self._site(self._wish(spec)), images)

    async def remove(self, spec: RolloutSpec, told: PartTold, images: str | None) -> None:
        """Delete what was made. Repeatable."""
        wish = self._wish(spec)
        self._kept = {key: kept for key, kept in self._kept.items() if not key.startswith(wish.stem)}
        await destroy(self._site(wish), told, images)

    def _wish(self, spec: RolloutSpec) -> Wish:
        return wish_of(spec, self._owner, self._clients.region)

    def _site(self, wish: Wish) -> Site:
        return Site(self._clients, wish, self._waits)

    async def _looked(self, site: Site) -> tuple[PlannedPart, ...]:
        parts = parts_of(site.wish)
        return planned(site, parts, await survey(site, parts))

    def _known(self, wish: Wish) -> Place | None:
        until_s, place = self._kept.get(self._key(wish), (0.0, None))
        return place if self._clock() < until_s else None

    def _keep(self, wish: Wish, ids: Mapping[str, str]) -> Place:
        place = place_in(wish, ids)
        self._kept[self._key(wish)] = (self._clock() + self._kept_s, place)
        return place

    def _key(self, wish: Wish) -> str:
        return f"{wish.stem} {wish.digest}"


def place_in(wish: Wish, ids: Mapping[str, str]) -> Place:
    """What the settings state wins; the rest is what was found or made."""
    made: dict[str, Any] = {setting: ids[part] for part, setting in SETTINGS.items() if part in ids}
    made["cluster"] = ids["cluster"].rpartition("/")[2]
    if wish.has_own_network:
        made["subnets"] = [ids[f"subnet-{number + 1}"] for number in range(wish.subnets)]
        made["public_ip"] = True
    if "task-group" in ids:
        made["security_groups"] = [ids["task-group"]]
    return place_of({**made, **wish.given})


def _is_stated(wish: Wish) -> bool:
    """Whether the settings name all that is needed by themselves and nothing may be made: nothing is looked for."""
    if wish.may_make:
        return False
    needed = REQUIRED if wish.rolling else REQUIRED + BLUE_GREEN
    return all(wish.given.get(name) for name in needed)


def _to_do(steps: tuple[PlannedPart, ...]) -> bool:
    return any(step.action not in {PartAction.KEEP, PartAction.ADOPT} for step in steps)


def _require_whole(wish: Wish, steps: tuple[PlannedPart, ...]) -> None:
    missing = [_named(step) for step in steps if step.action is PartAction.CREATE and step.part not in DISPENSABLE]
    if missing:
        raise Permanent("ecs_not_provisioned", names=missing, repository=wish.repository, environment=wish.environment)


def _named(step: PlannedPart) -> str:
    """As its tag calls it, with the kind of thing where that does not say it: `target-group blue`, `task-group`."""
    kind = step.kind.replace("_", "-")
    return step.part if kind.rpartition("-")[2] in step.part else f"{kind} {step.part}"
