"""Stage 5 on a platform: check green, let it have people's traffic step by step, and judge it before each goes on."""

from __future__ import annotations

import asyncio
import dataclasses
import statistics

from bot.errors import Permanent
from bot.jobs.deploy.rollout.follow import follow, rollout_id, show_output
from bot.jobs.deploy.rollout.gate import Gate
from bot.jobs.deploy.rollout.spec import RolloutShip, prepared_of
from bot.jobs.deploy.watching.health import CHECKS_AFTER, checks_after, probe_url
from bot.jobs.deploy.watching.steps import FULL_PERCENT
from bot.jobs.deploy.watching.telling import tell_check
from bot.jobs.deploy.watching.verdict import of_probes
from bot.model import Stage
from bot.ports.rollouts import RolloutStatus, RolloutView


async def shift_traffic(ship: RolloutShip) -> None:
    """Every pause is answered once green is good enough; at the end green has everything and blue is gone.

    That traffic may have moved is kept before the first pause is answered.
    """
    if ship.context.known(Stage.SWITCH, "baseline") is None:
        await _check_green(ship)
    gate, answered = Gate(ship), set[str]()
    while True:
        asked = len(answered)
        view = await follow(ship, Stage.SWITCH, asked, lambda seen: bool(set(seen.waiting) - answered), gate.watch)
        if view.status is RolloutStatus.DONE:
            break
        await _pass(ship, gate, view)
        answered.update(view.waiting)
    await _require_it_serves(ship)


async def _check_green(ship: RolloutShip) -> None:
    """The configured number of checks must pass in a row, where green can be reached; blue is measured meanwhile."""
    prepared = prepared_of(ship)
    over = prepared.test_url is None and await _is_over(ship)
    url = prepared.test_url or (prepared.url if over else None)
    measuring = asyncio.create_task(_baseline(ship, over=over))
    try:
        latencies = await _checked(ship, url) if url else []
        baseline = await measuring
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
    check_ms = round(statistics.median(latencies), 2) if latencies else None
    await ship.context.keep(Stage.SWITCH, check_ms=check_ms, baseline=baseline)


async def _checked(ship: RolloutShip, url: str) -> list[float]:
    """How long green took to answer each check, in ms. Raises Permanent for the first that failed."""
    settings, latencies = ship.plan.environment, list[float]()
    for number in range(1, settings.checks + 1):
        await asyncio.sleep(ship.tools.check_every_s if latencies else 0)
        seen = await probe_url(f"{url}{settings.health}")
        if not seen.passed:
            await show_output(ship)
        await tell_check(ship, number, seen, len(latencies))
        latencies.append(seen.ms)
    return latencies


async def _is_over(ship: RolloutShip) -> bool:
    """Whether green has everything already, so that it can be asked without a test listener, and blue no more."""
    return (await ship.engine.rollouts.look(rollout_id(ship))).status is RolloutStatus.DONE


async def _baseline(ship: RolloutShip, *, over: bool) -> dict[str, object]:
    """What our own requests measure of blue before anything moves; empty where there is none, or none any more."""
    prepared, settings = prepared_of(ship), ship.plan.environment
    if prepared.before is None or over:
        return {}
    probes = [await probe_url(prepared.url + settings.health) for _ in range(settings.gate.requests)]
    return dataclasses.asdict(of_probes(probes))


async def _pass(ship: RolloutShip, gate: Gate, view: RolloutView) -> None:
    """Let the rollout go on: nothing moves that is not allowed any more, or while green is not good enough."""
    if view.green_percent >= FULL_PERCENT:
        await _require_it_serves(ship)
        await ship.progress(Stage.SWITCH, "stage.rollout.serves", hook="AfterAllowTraffic", passedChecks=CHECKS_AFTER)
    else:
        await ship.tools.recheck(ship.job, ship.plan)
    if view.green_percent:
        await gate.conclude(view)
    await ship.context.keep(Stage.SWITCH, moved=True)
    for pause in view.waiting:
        await ship.engine.rollouts.go_on(rollout_id(ship), pause)


async def _require_it_serves(ship: RolloutShip) -> None:
    """Green must answer the way people reach it, where that is known. Raises Permanent("died_after_switch")."""
    path = ship.plan.environment.health
    if not prepared_of(ship).url:
        return
    async for number, seen in checks_after(prepared_of(ship).url + path, ship.tools.check_every_s):
        if not seen.passed:
            await show_output(ship)
            raise Permanent("died_after_switch", path=path, why=seen.why, check=number)
