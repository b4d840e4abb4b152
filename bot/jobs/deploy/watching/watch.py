"""Watches green for as long as a step of the traffic lasts, and judges it by what was measured meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.errors import Permanent
from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.watching.health import CHECKS_AFTER, Probe, checks_after, probe
from bot.jobs.deploy.watching.output import show_output
from bot.jobs.deploy.watching.steps import Step
from bot.jobs.deploy.watching.telling import Seen, fail_gate, tell_gate
from bot.jobs.deploy.watching.verdict import Figures, Judgement, Verdict, judge, of_probes, of_traffic
from bot.model import Stage
from bot.ports.running import TrafficTarget


def mark_of(ship: Ship, number: int) -> str:
    """The mark that the figures of one step are read by."""
    return f"step {number} {ship.job.id}"


async def baseline(ship: Ship) -> dict[str, Any]:
    """What was measured of blue before anything moved, as facts to keep."""
    blue = await ship.blue()
    stats = (await ship.engine.traffic.stats(ship.service)).get(blue.instance_id) if blue else None
    figures = of_traffic(stats)
    return {"requests": figures.requests, "errors": figures.errors, "p50_ms": figures.p50_ms, "p95_ms": figures.p95_ms}


async def watch_step(ship: Ship, number: int, step: Step) -> None:
    """Return once the step has lasted, and green is as good as it must be.

    Raises Permanent("died_after_switch" or "gate_failed") at once when it is not. A step begun before a crash lasts no
    longer for it.
    """
    began = datetime.fromisoformat(ship.context.known(Stage.SWITCH, "step_began"))
    ends = began + timedelta(seconds=step.hold_s)
    while (left_s := (ends - ship.context.clock()).total_seconds()) > 0:
        await asyncio.sleep(min(left_s, ship.tools.watch_every_s))
        await _require_alive(ship)
        seen = await _measured(ship, number)
        judgement = judge(seen.green, seen.blue, ship.plan.environment.gate)
        if judgement.verdict is Verdict.FAIL:
            await _fail(ship, step, seen, judgement)
    if step.hold_s:
        await _conclude(ship, number, step)


async def _conclude(ship: Ship, number: int, step: Step) -> None:
    """The verdict at the step's end; where too few asked, our own requests fill in."""
    gate = ship.plan.environment.gate
    seen = await _measured(ship, number)
    judgement = judge(seen.green, seen.blue, gate)
    if judgement.verdict is Verdict.INCONCLUSIVE:
        await tell_gate(ship, step, seen, judgement)
        seen = await _probed(ship, gate.requests)
        judgement = judge(seen.green, seen.blue, gate)
    if judgement.verdict is Verdict.FAIL:
        await _fail(ship, step, seen, judgement)
    await tell_gate(ship, step, seen, judgement)


async def _measured(ship: Ship, number: int) -> Seen:
    """Of people's requests since the step began; blue's from before the switch where it gets too few now."""
    stats = await ship.engine.traffic.stats(ship.service, mark_of(ship, number))
    blue_id = ship.context.known(Stage.LIFECYCLE, "blue")
    if blue_id is None:
        return Seen("traffic", of_traffic(stats.get(ship.green_name)), None)
    blue = of_traffic(stats.get(blue_id))
    if blue.requests < ship.plan.environment.gate.requests:
        blue = Figures(**(ship.context.known(Stage.SWITCH, "baseline") or {}))
    return Seen("traffic", of_traffic(stats.get(ship.green_name)), blue)


async def _probed(ship: Ship, count: int) -> Seen:
    """Our own requests, to both in turn, past the router."""
    targets = {target.id: target for target in await ship.engine.traffic.targets(ship.service)}
    green, blue = targets.get(ship.green_name), targets.get(ship.context.known(Stage.LIFECYCLE, "blue") or "")
    of_green: list[Probe] = []
    of_blue: list[Probe] = []
    for _ in range(count):
        for target, found in ((green, of_green), (blue, of_blue)):
            if target is not None:
                found.append(await _ask(ship, target))
    return Seen("probes", of_probes(of_green), of_probes(of_blue) if blue is not None else None)


async def _ask(ship: Ship, target: TrafficTarget) -> Probe:
    return await probe(target.host, target.port, ship.plan.environment.health)


async def _fail(ship: Ship, step: Step, seen: Seen, judgement: Judgement) -> None:
    await show_output(ship, ship.green_name)
    await fail_gate(ship, step, seen, judgement)


async def require_it_serves(ship: Ship) -> None:
    """Green must answer through the router too, the way people reach it, and not end on the way."""
    at = urlsplit(ship.context.known(Stage.START, "url"))
    url = f"http://{at.hostname or '127.0.0.1'}:{at.port or 80}{ship.plan.environment.health}"
    async for number, seen in checks_after(url, ship.tools.check_every_s):
        await _require_alive(ship, seen.why, check=number)
    await ship.progress(Stage.SWITCH, "stage.switch.hook", hook="AfterAllowTraffic", passedChecks=CHECKS_AFTER)


async def _require_alive(ship: Ship, why: str | None = None, **facts: int) -> None:
    """Raises Permanent("died_after_switch") when green ended since the switch, or did not answer."""
    why = await _fallen(ship) or why
    if why:
        await show_output(ship, ship.green_name)
        raise Permanent("died_after_switch", path=ship.plan.environment.health, why=why, **facts)


async def _fallen(ship: Ship) -> str | None:
    """How green ended since the switch; an engine may have started it again since, which a health check cannot see."""
    green = await ship.green()
    if green is None or (not green.running and green.restarts == 0):
        return "it ended"
    before = ship.context.known(Stage.SWITCH, "restarts") or 0
    return "it ended and was started again" if green.restarts > before else None
