"""A failure anywhere has the platform put blue back; only what it really put back is called so."""

from __future__ import annotations

import asyncio
import dataclasses

from bot.errors import Permanent
from bot.jobs.context import Ending, Failure
from bot.jobs.deploy.rollout.complete import forget_built_image
from bot.jobs.deploy.rollout.leftovers import clear_up
from bot.jobs.deploy.rollout.remote import stop_build
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed, kept_prepared, prepared_of, rollout_spec
from bot.jobs.deploy.undo import ending_of
from bot.model import EventType, Stage
from bot.ports.rollouts import Prepared, RolloutSpec, RolloutStatus, RolloutView


async def undo_rollout(ship: RolloutShip, failure: Failure) -> Ending:
    """Repeatable. Answers ROLLED_BACK when people's traffic may have moved and is on blue again.

    Raises Permanent("rollback_failed", or "execution_stuck" for a state machine's) where the platform could not put
    blue back: that is never passed off as done.
    """
    prepared = kept_prepared(ship)
    await stop_build(ship)
    try:
        restored = await _put_back(ship, prepared) if prepared else False
    except Permanent:
        await clear_up(ship)
        raise
    await clear_up(ship)
    await forget_built_image(ship)
    return await ending_of(ship, failure, restored=restored, url=(prepared.url or None) if prepared else None)


async def _put_back(ship: RolloutShip, prepared: Prepared) -> bool:
    """Whether blue serves again after green did."""
    spec = rollout_spec(ship)
    rollout = ship.context.known(Stage.LIFECYCLE, "rollout") or await ship.engine.rollouts.find(spec, prepared)
    if rollout is None:
        return False
    view = await _ended(ship, rollout)
    if prepared.before is None and not is_followed(ship):
        await ship.engine.rollouts.forget(spec)
        return False
    if view.status is RolloutStatus.DONE:
        view = await _rolled_out_again(ship, spec, prepared, rollout)
    elif view.status is not RolloutStatus.UNDONE:
        raise _not_back(ship, view)
    moved = bool(ship.context.known(Stage.SWITCH, "moved")) or view.status is RolloutStatus.DONE
    if moved:
        await _tell_restored(ship)
    return moved


async def _ended(ship: RolloutShip, rollout: str) -> RolloutView:
    """The rollout when it is over; one under way is asked to go back first."""
    view = await ship.engine.rollouts.look(rollout)
    if view.status is RolloutStatus.GOING:
        await ship.engine.rollouts.go_back(rollout)
    return await _until_over(ship, rollout)


async def _rolled_out_again(ship: RolloutShip, spec: RolloutSpec, prepared: Prepared, rollout: str) -> RolloutView:
    """Green had everything and blue was gone before it failed: blue's revision is rolled out anew, without pauses.

    A state machine is given blue's image in place of a revision.
    """
    blue = await ship.blue()
    image = blue.image if blue else spec.image
    if is_followed(ship) and blue is None:
        raise Permanent("execution_stuck", machine=prepared.place_name, reason=ship.say("undo.no_release"))
    again = dataclasses.replace(spec, image=image, revision=prepared.before, strategy=_plain(spec), bake_s=0)
    target = dataclasses.replace(prepared, revision=str(prepared.before), last_rollout=rollout)
    view = await _until_over(ship, await ship.engine.rollouts.begin(again, target, gated=False))
    if view.status is not RolloutStatus.DONE:
        raise _not_back(ship, view)
    return view


def _not_back(ship: RolloutShip, view: RolloutView) -> Permanent:
    if is_followed(ship):
        prepared = prepared_of(ship)
        return Permanent("execution_stuck", machine=prepared.place_name, reason=view.reason, stage=view.stage)
    return Permanent("rollback_failed", reason=view.reason, stage=view.stage)


def _plain(spec: RolloutSpec) -> str:
    return spec.strategy if spec.strategy == "rolling" else "all"


async def _until_over(ship: RolloutShip, rollout: str) -> RolloutView:
    wait_s = ship.engine.pace.first_s
    while True:
        view = await ship.engine.rollouts.look(rollout)
        if view.status.is_over:
            return view
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 1.5, ship.engine.pace.longest_s)


async def _tell_restored(ship: RolloutShip) -> None:
    if ship.context.known(Stage.COMPLETE, "restored"):
        return
    await ship.context.keep(Stage.COMPLETE, restored=True)
    told = {"from": "green", "to": "blue", "activeService": "blue"}
    await ship.context.tell(EventType.TRAFFIC_RESTORED, ship.say("undo.restored"), ship.job.stage, **told)
