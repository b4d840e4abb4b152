"""Stage 6: blue is stopped and kept for an instant rollback, older ones go, and the release is named."""

from __future__ import annotations

import logging
from typing import Any

from bot.errors import ShipmateError
from bot.jobs.context import Ending
from bot.jobs.deploy.plan import Plan, seconds_between
from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.stages.switch import since_switch
from bot.model import JobState, Stage
from bot.ports.engines import Maker
from bot.ports.running import TrafficStats
from bot.store.jobs import NewRelease

STOP_GRACE_S = 10.0

log = logging.getLogger("shipmate.deploy")


async def complete(ship: Ship) -> None:
    """Green serves: nothing from here on may fail the deployment; what could not be tidied is tidied later."""
    stats = await _measured(ship)
    await ship.context.keep(Stage.COMPLETE, measured=stats)
    for target in await ship.engine.traffic.targets(ship.service):
        if target.id != ship.green_name:
            await _tidily(ship, ship.engine.target.stop(target.id, STOP_GRACE_S))
            await _tidily(ship, ship.engine.traffic.remove_target(ship.service, target.id))
    url = ship.context.known(Stage.START, "url")
    blue = ship.context.known(Stage.LIFECYCLE, "blue")
    await ship.progress(
        Stage.COMPLETE, "stage.complete", finalService="green", blueUrl=url if blue else None, greenUrl=url
    )


async def _tidily(ship: Ship, doing: Any) -> None:
    try:
        await doing
    except ShipmateError as error:
        log.warning("could not tidy up", extra={"job": ship.job.id, "code": error.code})


async def _measured(ship: Ship) -> dict[str, Any]:
    """Latency (median, ms) and error rate of both, from the requests they really answered; None where none were."""
    try:
        window = await ship.engine.traffic.stats(ship.service)
        since = await ship.engine.traffic.stats(ship.service, since_switch(ship))
    except ShipmateError:
        return {}
    blue = ship.context.known(Stage.LIFECYCLE, "blue")
    return {**_figures("blue", window.get(blue or "")), **_figures("green", since.get(ship.green_name))}


def _figures(colour: str, stats: TrafficStats | None) -> dict[str, Any]:
    return {
        f"{colour}LatencyMs": stats.p50_ms if stats else None,
        f"{colour}ErrorRate": stats.error_rate if stats else None,
    }


def ending(ship: Ship[Maker]) -> Ending:
    """How a deployment that went through is told and recorded."""
    context, job = ship.context, ship.job
    seconds = seconds_between(job.started_at, context.clock())
    url = context.known(Stage.START, "url")
    result = {
        "finalService": "green",
        "blueUrl": url if context.known(Stage.LIFECYCLE, "blue") else None,
        "greenUrl": url,
        "url": url,
        "newImageUri": context.known(Stage.PUSH, "image"),
        "durationSeconds": round(seconds, 3),
        "metrics": {
            "gitCloneDuration": context.known(Stage.BUILD, "clone_ms"),
            "dockerBuildDuration": context.known(Stage.BUILD, "build_ms"),
            "ecrPushDuration": context.known(Stage.PUSH, "push_ms"),
            "deploymentDuration": round(seconds * 1000),
        },
        **(context.known(Stage.COMPLETE, "measured") or {}),
    }
    key = "ended.rolled_back_to" if ship.plan.release_id else "ended.deployed"
    message = ship.say(key, environment=job.environment, sha=job.sha[:7], url=url, seconds=f"{seconds:.1f}")
    return Ending(
        JobState.COMPLETED,
        message,
        result=result,
        release=None if ship.plan.release_id else _release(ship),
        activate=ship.plan.release_id,
    )


def _release(ship: Ship[Maker]) -> NewRelease:
    job, context = ship.job, ship.context
    settings = ship.plan.to_json()
    settings["environment"]["port"] = context.known(Stage.BUILD, "port")
    settings["image_port"] = context.known(Stage.BUILD, "image_port")
    settings["made_dockerfile"] = bool(context.known(Stage.BUILD, "made"))
    return NewRelease(
        repository_id=job.repository.id,
        environment=job.environment,
        job_id=job.id,
        sha=job.sha,
        image=context.known(Stage.PUSH, "image"),
        instance_id=context.known(Stage.LIFECYCLE, "green"),
        spec=Plan.from_json(settings).to_json(),
    )
