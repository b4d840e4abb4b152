"""Stage 4: start green beside blue and wait until it is well; blue serves all the while."""

from __future__ import annotations

import dataclasses

from bot.errors import Permanent
from bot.jobs.deploy.ship import Ship, as_target
from bot.jobs.deploy.stages.start import instance_spec
from bot.jobs.deploy.watching.health import NOBODY_LISTENS, Probe, probe, wait_until_well
from bot.jobs.deploy.watching.output import show_output
from bot.model import Stage
from bot.ports.running import Instance, InstanceSpec


async def start_green(ship: Ship) -> None:
    """Green runs, is well, and is a target with no traffic yet. Keep `green` (its instance id) and `blue`."""
    blue = await ship.blue()
    url = ship.context.known(Stage.START, "url")
    if ship.context.known(Stage.LIFECYCLE, "green") is None:
        await ship.context.keep(Stage.LIFECYCLE, blue=blue.instance_id if blue else None, green=ship.green_name)
    await ship.progress(Stage.LIFECYCLE, "stage.lifecycle.starting", blueUrl=url if blue else None)
    green = await _running_green(ship)
    await _until_well(ship, green)
    if await ship.green_percent() is None:
        target = as_target(green, ship.green_name, 0, ship.plan.environment.health)
        await ship.engine.traffic.put_target(ship.service, target)
    address = f"http://{green.host}:{green.port}"
    await ship.progress(Stage.LIFECYCLE, "stage.lifecycle.well", url=address, greenUrl=address)
    await ship.progress(Stage.LIFECYCLE, "stage.lifecycle.hook", hook="BeforeAllowTraffic")
    await ship.tools.recheck(ship.job, ship.plan)


async def _running_green(ship: Ship) -> Instance:
    """The new instance, running: a rollback wakes the kept one; what is gone is made again from its image."""
    target = ship.engine.target
    if ship.plan.instance_id is not None:
        kept = await target.look(ship.plan.instance_id)
        if kept is not None:
            return kept if kept.running else await target.wake(kept.id)
    spec = await instance_spec(ship)
    if ship.plan.instance_id is not None:
        spec = _named(spec, ship.plan.instance_id)
    return await target.start(spec)


def _named(spec: InstanceSpec, name: str) -> InstanceSpec:
    return dataclasses.replace(spec, name=name)


async def _until_well(ship: Ship, green: Instance) -> None:
    settings = ship.plan.environment
    seen = await wait_until_well(lambda: _look(ship, green), settings.health_timeout_s)
    if seen.passed:
        return
    await show_output(ship, green.id)
    raise Permanent(
        "health_check_failed",
        path=settings.health,
        port=ship.context.known(Stage.BUILD, "port"),
        why=seen.why,
        limit_s=settings.health_timeout_s,
        fix=ship.context.known(Stage.BUILD, "fix_port") if seen.why in NOBODY_LISTENS else None,
    )


async def _look(ship: Ship, green: Instance) -> Probe:
    """One probe; an instance that has ended is not waited for. Raises Permanent("instance_ended")."""
    now = await ship.engine.target.look(green.id)
    if now is None or (not now.running and now.exit_code is not None):
        await show_output(ship, green.id)
        code = now.exit_code if now else None
        starved = bool(now and now.out_of_memory)
        start = None if starved else ship.context.known(Stage.BUILD, "fix_start")
        raise Permanent("instance_ended", exit_code=code, out_of_memory=starved, fix=start)
    if now.host is None or now.port is None:
        return Probe(0.0, why="it has no address yet")
    return await probe(now.host, now.port, ship.plan.environment.health)
