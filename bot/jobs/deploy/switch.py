"""Stage 5: check green again and again, send all traffic to it, watch it serve, and let blue finish."""

from __future__ import annotations

import asyncio
import statistics
from urllib.parse import urlsplit

from bot.errors import Permanent
from bot.jobs.deploy.health import Probe, probe
from bot.jobs.deploy.lifecycle import show_output
from bot.jobs.deploy.ship import Ship
from bot.model import EventType, Stage

CHECKS_AFTER = 3


async def switch_traffic(ship: Ship) -> None:
    """All traffic goes to green; blue, drained, serves nothing. What to go back to is kept before anything moves."""
    if await ship.green_percent() != 100:
        await _check_green(ship)
        await _shift(ship)
    await _watch(ship)
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
        await _tell_check(ship, number, seen, len(latencies))
        latencies.append(seen.ms)
        if number < settings.checks:
            await asyncio.sleep(ship.tools.check_every_s)
    await ship.context.keep(Stage.SWITCH, check_ms=round(statistics.median(latencies), 2))


async def _tell_check(ship: Ship, number: int, seen: Probe, passed: int) -> None:
    settings = ship.plan.environment
    await ship.progress(
        Stage.SWITCH,
        "stage.switch.check" if seen.passed else "stage.switch.check_failed",
        url=settings.health,
        check=f"Check {number}/{settings.checks}",
        passedChecks=passed + seen.passed,
        latencyMs=seen.ms,
        why=seen.why,
    )
    if not seen.passed:
        await show_output(ship, ship.green_name)
        raise Permanent("health_check_failed", path=settings.health, why=seen.why, check=number)


async def _shift(ship: Ship) -> None:
    traffic = ship.engine.traffic
    await ship.tools.recheck(ship.job, ship.plan)
    before = {target.id: target.percent for target in await traffic.targets(ship.service)}
    before.pop(ship.green_name, None)
    green = await ship.green()
    await ship.context.keep(Stage.SWITCH, before=before, restarts=green.restarts if green else 0)
    await traffic.mark(ship.service, since_switch(ship))
    await traffic.shift(ship.service, {ship.green_name: 100})
    await ship.context.tell(
        EventType.TRAFFIC_SHIFTED,
        f"[Stage {int(Stage.SWITCH)}] {ship.say('stage.switch.shifted')}",
        Stage.SWITCH,
        **{"from": "blue" if before else None, "to": "green", "activeService": "green"},
        url=ship.context.known(Stage.START, "url"),
    )


async def _watch(ship: Ship) -> None:
    """Green must answer through the router too, the way people reach it, and not end on the way."""
    at = urlsplit(ship.context.known(Stage.START, "url"))
    for number in range(1, CHECKS_AFTER + 1):
        seen = await probe(at.hostname or "127.0.0.1", at.port or 80, ship.plan.environment.health)
        why = await _fallen(ship) or seen.why
        if why:
            await show_output(ship, ship.green_name)
            raise Permanent("died_after_switch", path=ship.plan.environment.health, why=why, check=number)
        if number < CHECKS_AFTER:
            await asyncio.sleep(ship.tools.check_every_s)
    await ship.progress(Stage.SWITCH, "stage.switch.hook", hook="AfterAllowTraffic", passedChecks=CHECKS_AFTER)


async def _fallen(ship: Ship) -> str | None:
    """How green ended since the switch; an engine may have started it again since, which a health check cannot see."""
    green = await ship.green()
    if green is None or (not green.running and green.restarts == 0):
        return "it ended"
    before = ship.context.known(Stage.SWITCH, "restarts") or 0
    return "it ended and was started again" if green.restarts > before else None


async def _drain_the_rest(ship: Ship) -> None:
    others = [t.id for t in await ship.engine.traffic.targets(ship.service) if t.id != ship.green_name]
    for target_id in others:
        await ship.engine.traffic.drain(ship.service, target_id, ship.plan.environment.drain_s)
    if others:
        await ship.progress(Stage.SWITCH, "stage.switch.drained", drained=len(others))
