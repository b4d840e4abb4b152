"""Stage 5: check green again and again, send it the traffic step by step, watch it serve, and let blue finish."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping

from bot.errors import Permanent
from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.watching.health import probe
from bot.jobs.deploy.watching.output import show_output
from bot.jobs.deploy.watching.steps import FULL_PERCENT, Step, shares, steps_of
from bot.jobs.deploy.watching.telling import tell_check
from bot.jobs.deploy.watching.watch import baseline, mark_of, require_it_serves, watch_step
from bot.model import EventType, Stage


async def switch_traffic(ship: Ship) -> None:
    """In one step or several, each watched, all traffic goes to green; blue is drained only then.

    What to go back to is kept before anything moves; a step that was passed is not taken again after a crash.
    """
    if await ship.green_percent() in {0, None} and ship.context.known(Stage.SWITCH, "before") is None:
        await _check_green(ship)
        await _keep_what_was(ship)
    before: Mapping[str, int] = ship.context.known(Stage.SWITCH, "before") or {}
    steps = steps_of(ship.plan.environment.traffic, has_blue=any(before.values()))
    for number in range(ship.context.known(Stage.SWITCH, "passed") or 0, len(steps)):
        await _take(ship, number, steps[number], before)
        await watch_step(ship, number, steps[number])
        await ship.context.keep(Stage.SWITCH, passed=number + 1)
    await require_it_serves(ship)
    await _drain_the_rest(ship)


def since_switch(ship: Ship) -> str:
    """The mark that the figures since this very switch are read by."""
    return f"switch {ship.job.id}"


async def _check_green(ship: Ship) -> None:
    """The configured number of checks must pass in a row."""
    settings, green = ship.plan.environment, await ship.green()
    if green is None or green.host is None or green.port is None:
        raise Permanent("instance_ended", exit_code=green.exit_code if green else None, out_of_memory=False)
    latencies: list[float] = []
    for number in range(1, settings.checks + 1):
        seen = await probe(green.host, green.port, settings.health)
        if not seen.passed:
            await show_output(ship, ship.green_name)
        await tell_check(ship, number, seen, len(latencies))
        latencies.append(seen.ms)
        if number < settings.checks:
            await asyncio.sleep(ship.tools.check_every_s)
    await ship.context.keep(Stage.SWITCH, check_ms=round(statistics.median(latencies), 2))


async def _keep_what_was(ship: Ship) -> None:
    """Blue's share and figures, and how often green was started: what to go back to, and what to judge by."""
    before = {target.id: target.percent for target in await ship.engine.traffic.targets(ship.service)}
    before.pop(ship.green_name, None)
    green = await ship.green()
    restarts = green.restarts if green else 0
    await ship.context.keep(Stage.SWITCH, before=before, restarts=restarts, baseline=await baseline(ship))


async def _take(ship: Ship, number: int, step: Step, before: Mapping[str, int]) -> None:
    """Give green its share of this step, once, and tell it. Nothing moves that is not allowed any more."""
    traffic = ship.engine.traffic
    if await ship.green_percent() != step.percent:
        await ship.tools.recheck(ship.job, ship.plan)
        await traffic.mark(ship.service, since_switch(ship))
        await traffic.mark(ship.service, mark_of(ship, number))
        await traffic.shift(ship.service, shares(before, ship.green_name, step.percent))
    if ship.context.known(Stage.SWITCH, "step") != number:
        await _tell_step(ship, step, has_blue=any(before.values()))
        await ship.context.keep(Stage.SWITCH, step=number, step_began=ship.context.clock().isoformat())


async def _tell_step(ship: Ship, step: Step, *, has_blue: bool) -> None:
    whole = step.percent == FULL_PERCENT
    said = ship.say("stage.switch.shifted" if whole else "stage.switch.shifted_some", percent=step.percent)
    await ship.context.tell(
        EventType.TRAFFIC_SHIFTED,
        f"[Stage {int(Stage.SWITCH)}] {said}",
        Stage.SWITCH,
        **{"from": "blue" if has_blue else None, "to": "green", "activeService": "green" if whole else "blue"},
        url=ship.context.known(Stage.START, "url"),
        percent=step.percent,
        holdSeconds=step.hold_s,
    )


async def _drain_the_rest(ship: Ship) -> None:
    others = [t.id for t in await ship.engine.traffic.targets(ship.service) if t.id != ship.green_name]
    for target_id in others:
        await ship.engine.traffic.drain(ship.service, target_id, ship.plan.environment.drain_s)
    if others:
        await ship.progress(Stage.SWITCH, "stage.switch.drained", drained=len(others))
