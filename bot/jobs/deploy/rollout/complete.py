"""Stage 6 on a platform: what was measured is kept, and the release is named; the platform has tidied up itself."""

from __future__ import annotations

import contextlib
from typing import Any

from bot.errors import ShipmateError
from bot.jobs.deploy.rollout.follow import rollout_id
from bot.jobs.deploy.rollout.leftovers import clear_up
from bot.jobs.deploy.rollout.spec import RolloutShip, rollout_spec
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports.engines import Maker
from bot.ports.running import TrafficStats

WINDOW_S = 900.0


async def complete_rollout(ship: RolloutShip) -> None:
    """Green serves: nothing from here on may fail the deployment."""
    await clear_up(ship)
    await forget_built_image(ship)
    await ship.context.keep(Stage.COMPLETE, measured=await _measured(ship))
    url = ship.context.known(Stage.START, "url")
    blue = ship.context.known(Stage.LIFECYCLE, "blue")
    told = {"finalService": "green", "blueUrl": url if blue else None, "greenUrl": url}
    await ship.progress(Stage.COMPLETE, "stage.complete", **told)


async def forget_built_image(ship: Ship[Maker]) -> None:
    """The image was built here and runs elsewhere: the local one is of no use any more."""
    image = ship.image_here
    if image is not None:
        with contextlib.suppress(ShipmateError):
            await ship.engine.forget_image(image)


async def _measured(ship: RolloutShip) -> dict[str, Any]:
    """Latency (median, ms) and error rate of both: as the load balancer counted, else of our own requests."""
    try:
        blue, green = await ship.engine.rollouts.measured(rollout_spec(ship), rollout_id(ship), WINDOW_S)
    except ShipmateError:
        blue = green = None
    before = ship.context.known(Stage.SWITCH, "baseline") or {}
    check_ms = ship.context.known(Stage.SWITCH, "check_ms")
    return {
        "blueLatencyMs": _ms(blue, before.get("p50_ms")),
        "greenLatencyMs": _ms(green, check_ms),
        "blueErrorRate": _rate(blue, before),
        "greenErrorRate": green.error_rate if green else None if check_ms is None else 0.0,
    }


def _ms(stats: TrafficStats | None, probed: float | None) -> float | None:
    return stats.p50_ms if stats and stats.p50_ms is not None else probed


def _rate(stats: TrafficStats | None, probed: dict[str, Any]) -> float | None:
    if stats:
        return stats.error_rate
    return probed["errors"] / probed["requests"] if probed.get("requests") else None
