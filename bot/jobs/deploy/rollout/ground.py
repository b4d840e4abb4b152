"""Stage 3 before all else: what the service stands on is told part by part, and made where it is missing."""

from __future__ import annotations

from bot import ground
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed, rollout_spec
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports.engines import Maker, RolloutEngine
from bot.ports.ground import PartAction, PlannedPart
from bot.ports.rollouts import RolloutSpec


async def lay_ground(ship: RolloutShip, spec: RolloutSpec) -> None:
    """The plan is an event and lines of the log before anything is made. Repeatable. Raises what `Ground` raises."""
    parts = await _planned(ship, spec)
    if not parts or ship.engine.ground is None:
        return
    locale = ship.tools.locale
    for part in parts:
        ship.context.log.line(ground.line(locale, part))
    await ship.progress(
        Stage.START,
        "stage.start.ground",
        made=len(ground.of(parts, PartAction.CREATE)),
        changed=len(ground.of(parts, PartAction.CHANGE)),
        kept=len(ground.of(parts, PartAction.KEEP, PartAction.ADOPT)),
        parts=[ground.to_json(part) for part in parts],
    )
    done: list[PlannedPart] = []
    await ship.engine.ground.provide(spec, done.append)
    await ship.progress(Stage.START, "stage.start.ground_laid", parts=[ground.to_json(part) for part in done])


async def rehearsed_ground(ship: Ship[Maker]) -> list[str]:
    """What a deployment would make and change before it begins, in sentences."""
    if not isinstance(ship.engine, RolloutEngine):
        return []
    platform = Ship(ship.context, ship.plan, ship.engine, ship.tools)
    return ground.sentences(ship.tools.locale, await _planned(platform, rollout_spec(platform)))


async def _planned(ship: RolloutShip, spec: RolloutSpec) -> tuple[PlannedPart, ...]:
    """Nothing where somebody else's state machine deploys: it decides what its service stands on."""
    if ship.engine.ground is None or is_followed(ship):
        return ()
    return await ship.engine.ground.planned(spec)
