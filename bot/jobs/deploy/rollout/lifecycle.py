"""Stage 4 on a platform: begin the rollout, and follow it until green waits to be given people's traffic."""

from __future__ import annotations

from bot.jobs.deploy.rollout.follow import follow
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed, prepared_of, rollout_spec
from bot.model import Stage
from bot.ports.rollouts import RolloutView


async def begin_rollout(ship: RolloutShip) -> None:
    """Keep `rollout`, `green` and `blue` (revisions). A rolling update has no such wait: it is followed to its end.

    So is a state machine, which asks nobody whether it may go on.
    """
    prepared = prepared_of(ship)
    if ship.context.known(Stage.LIFECYCLE, "green") is None:
        await ship.context.keep(Stage.LIFECYCLE, blue=prepared.before, green=prepared.revision)
    key = "stage.lifecycle.arming" if is_followed(ship) else "stage.lifecycle.starting"
    blue_url = (prepared.url or None) if prepared.before else None
    await ship.progress(Stage.LIFECYCLE, key, blueUrl=blue_url, machine=prepared.place_name)
    if ship.context.known(Stage.LIFECYCLE, "rollout") is None:
        rollout = await ship.engine.rollouts.begin(rollout_spec(ship), prepared)
        await ship.context.keep(Stage.LIFECYCLE, rollout=rollout)
    await follow(ship, Stage.LIFECYCLE, 0, _waits)
    if is_followed(ship):
        return
    green = prepared.test_url or prepared.url
    await ship.progress(Stage.LIFECYCLE, "stage.lifecycle.well", url=green, greenUrl=green)
    await ship.progress(Stage.LIFECYCLE, "stage.lifecycle.hook", hook="BeforeAllowTraffic")
    await ship.tools.recheck(ship.job, ship.plan)


def _waits(view: RolloutView) -> bool:
    return bool(view.waiting)
