"""A failure anywhere leaves, or puts, the traffic back on blue, and removes what green had begun."""

from __future__ import annotations

from collections.abc import Mapping

from bot import messages
from bot.errors import Permanent
from bot.jobs.context import Ending, Failure
from bot.jobs.deploy.plan import instance_name, seconds_between
from bot.jobs.deploy.ship import Ship, as_target
from bot.model import EventType, JobState, Stage
from bot.ports.engines import Maker


async def undo(ship: Ship, failure: Failure) -> Ending:
    """Repeatable. Answers ROLLED_BACK when traffic had moved and is on blue again."""
    before: Mapping[str, int] = ship.context.known(Stage.SWITCH, "before") or {}
    moved = bool(await ship.green_percent()) or bool(ship.context.known(Stage.COMPLETE, "restoring"))
    restored = moved and await _restore(ship, before)
    await _remove_green(ship)
    url = await ship.engine.traffic.service_url(ship.service)
    return await ending_of(ship, failure, restored=restored, url=url)


async def _restore(ship: Ship, before: Mapping[str, int]) -> bool:
    """Send everything back where it went before. False at a first deployment: there is nothing to go back to."""
    serving = {target_id: percent for target_id, percent in before.items() if percent}
    if not serving:
        return False
    for target_id in serving:
        await _awake(ship, target_id)
    await ship.context.keep(Stage.COMPLETE, restoring=True)
    await ship.engine.traffic.shift(ship.service, serving)
    if not ship.context.known(Stage.COMPLETE, "restored"):
        await ship.context.keep(Stage.COMPLETE, restored=True)
        await ship.context.tell(
            EventType.TRAFFIC_RESTORED,
            ship.say("undo.restored"),
            ship.job.stage,
            **{"from": "green", "to": "blue", "activeService": "blue"},
        )
    return True


async def _awake(ship: Ship, target_id: str) -> None:
    instance = await ship.engine.target.look(target_id)
    if instance is None:
        raise Permanent("instance_gone", instance=target_id)
    if not instance.running:
        instance = await ship.engine.target.wake(instance.id)
    known = {target.id: target.health for target in await ship.engine.traffic.targets(ship.service)}
    target = as_target(instance, target_id, 0, known.get(target_id))
    await ship.engine.traffic.put_target(ship.service, target)


async def _remove_green(ship: Ship) -> None:
    """Green takes no requests, then goes. A rollback's instance is a kept release: it is only stopped again."""
    if await ship.green_percent() is not None:
        await ship.engine.traffic.drain(ship.service, ship.green_name, ship.plan.environment.drain_s)
        await ship.engine.traffic.remove_target(ship.service, ship.green_name)
    await ship.engine.target.remove(f"{instance_name(ship.job)}-release")
    if ship.plan.instance_id is not None:
        if await ship.engine.target.look(ship.plan.instance_id) is not None and not await _is_live(ship):
            await ship.engine.target.stop(ship.plan.instance_id, 10.0)
        return
    await ship.engine.target.remove(ship.green_name)
    image = ship.image_here
    if image is not None:
        await ship.engine.target.remove_image(image)


async def _is_live(ship: Ship) -> bool:
    blue = await ship.blue()
    return blue is not None and blue.instance_id == ship.green_name


async def ending_of(ship: Ship[Maker], failure: Failure, *, restored: bool, url: str | None) -> Ending:
    """How a deployment that failed is told. `restored`: blue has back what green had taken. `url`: the service's."""
    state = JobState.ROLLED_BACK if restored and failure.state is not JobState.CANCELLED else failure.state
    blue = await ship.blue()
    why = messages.failure(ship.tools.locale, failure.code, failure.facts)
    result = {
        "finalService": "blue" if blue else None,
        "blueUrl": url if blue else None,
        "greenUrl": None,
        "url": url if blue else None,
        "durationSeconds": round(seconds_between(ship.job.started_at, ship.context.clock()), 3),
        "reason": failure.code,
        "failure": dict(failure.facts),
        "failedStage": _failed_stage(ship),
        "by": failure.by,
    }
    return Ending(state, why, result=result, error_code=failure.code, error_message=why)


def _failed_stage(ship: Ship[Maker]) -> int | None:
    """The last stage that had begun."""
    started = [int(stage) for stage, facts in ship.context.facts.items() if facts.get("started")]
    return max(started, default=None)
