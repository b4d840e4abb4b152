"""Follows a rollout from look to look, and tells each step of it once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot import messages
from bot.errors import Permanent, ShipmateError
from bot.jobs.deploy.rollout.rhythm import Leg, least_s, next_wait_s
from bot.jobs.deploy.rollout.spec import RolloutShip, is_followed, rollout_spec
from bot.model import EventType, Stage
from bot.ports.rollouts import RolloutStatus, RolloutView

OUTPUT_LINES = 60

Meanwhile = Callable[[RolloutView, float], Awaitable[None]]
"""Fills the time until the next look: given what was seen, and seconds. It may raise what it finds."""


async def follow(
    ship: RolloutShip,
    stage: Stage,
    leg: int,
    until: Callable[[RolloutView], bool],
    meanwhile: Meanwhile | None = None,
) -> RolloutView:
    """Look again and again until it is as wanted, or done. Raises Permanent when it goes back: "rollout_failed", or
    "execution_failed" where a state machine is followed, which is looked at all the time.

    `leg` numbers the waits of a stage, so that the next deployment knows how long each of them takes.
    """
    began_s, name = time.monotonic(), f"{int(stage)}.{leg}"
    waited: Leg | None = None
    while True:
        view = await ship.engine.rollouts.look(rollout_id(ship))
        await _tell(ship, stage, view)
        if view.status in {RolloutStatus.UNDOING, RolloutStatus.UNDONE, RolloutStatus.STUCK}:
            await _fail(ship, view)
        if until(view) or view.status is RolloutStatus.DONE:
            await _keep_time(ship, name, time.monotonic() - began_s)
            return view
        if is_followed(ship):
            wait_s = ship.engine.pace.first_s
        else:
            waited = waited or await _leg(ship, name, view, began_s)
            wait_s = next_wait_s(ship.engine.pace, waited, view.stage, time.monotonic())
        await (meanwhile(view, wait_s) if meanwhile else asyncio.sleep(wait_s))


async def _leg(ship: RolloutShip, name: str, view: RolloutView, began_s: float) -> Leg:
    """What is known of a wait: how long it took when the release that serves now was shipped, and what it bakes."""
    blue = await ship.blue()
    facts = await ship.context.jobs.facts(blue.job_id) if blue else {}
    took = facts.get(Stage.LIFECYCLE, {}).get("took", {})
    before = ship.context.known(Stage.LIFECYCLE, "took") or {}
    return Leg(least_s(rollout_spec(ship), view.green_percent), took.get(name, 0.0), sum(before.values()), began_s)


async def _keep_time(ship: RolloutShip, leg: str, seconds: float) -> None:
    took = ship.context.known(Stage.LIFECYCLE, "took") or {}
    await ship.context.keep(Stage.LIFECYCLE, took={**took, leg: round(seconds, 3)})


def rollout_id(ship: RolloutShip) -> str:
    """The rollout that stage 4 began."""
    return str(ship.context.known(Stage.LIFECYCLE, "rollout"))


async def show_output(ship: RolloutShip) -> None:
    """Put why the new version's tasks ended, and what they wrote last, into the job's log; never fails for that."""
    try:
        lines = await ship.engine.rollouts.output(rollout_spec(ship), rollout_id(ship), OUTPUT_LINES)
    except ShipmateError as error:
        lines = [messages.failure(ship.tools.locale, error.code, error.facts)]
    ship.context.log.line(ship.say("log.last_output", count=len(lines)))
    for line in lines:
        ship.context.log.line(f"  {line}")


async def _fail(ship: RolloutShip, view: RolloutView) -> None:
    await show_output(ship)
    code = "execution_failed" if is_followed(ship) else "rollout_failed"
    raise Permanent(code, stage=view.stage, reason=view.reason)


async def _tell_steps(ship: RolloutShip, stage: Stage, view: RolloutView) -> None:
    """Each step of a state machine, and its end, once; stored with the last one's number."""
    last = ship.context.known(Stage.LIFECYCLE, "last_step") or 0
    new = [step for step in view.happened if step.id > last]
    told = [ship.step(stage, f"stage.rollout.task_{step.kind}", task=step.name, why=step.reason) for step in new]
    over = view.status.is_over and not ship.context.known(Stage.LIFECYCLE, "over")
    if over:
        key = "stage.rollout.execution_done" if view.status is RolloutStatus.DONE else "stage.rollout.execution_failed"
        told.append(ship.step(stage, key, why=view.reason))
    if told:
        known = {"last_step": new[-1].id if new else last, "over": over or None}
        await ship.context.tell_once(Stage.LIFECYCLE, told, **known)


async def _tell(ship: RolloutShip, stage: Stage, view: RolloutView) -> None:
    """A lifecycle stage, and a change of the traffic, once each, over crashes too."""
    if is_followed(ship):
        await _tell_steps(ship, stage, view)
    seen = [view.stage, view.running, view.green_percent]
    before = ship.context.known(Stage.LIFECYCLE, "seen") or ["", 0, 0.0]
    if seen == before:
        return
    await ship.context.keep(Stage.LIFECYCLE, seen=seen)
    if seen[:2] != before[:2] and not is_followed(ship):
        told = {"lifecycle": view.stage, "running": view.running, "wanted": view.wanted}
        await ship.progress(stage, "stage.rollout.step", **told)
    if view.green_percent != before[2]:
        await _tell_traffic(ship, stage, view.green_percent)


async def _tell_traffic(ship: RolloutShip, stage: Stage, percent: float) -> None:
    whole, has_blue = percent >= 100, ship.context.known(Stage.LIFECYCLE, "blue") is not None
    said = ship.say("stage.switch.shifted" if whole else "stage.switch.shifted_some", percent=f"{percent:g}")
    await ship.context.tell(
        EventType.TRAFFIC_SHIFTED,
        f"[Stage {int(stage)}] {said}",
        stage,
        **{"from": "blue" if has_blue else None, "to": "green", "activeService": "green" if whole else "blue"},
        url=ship.context.known(Stage.START, "url"),
        percent=percent,
    )
