"""What is known of a build that the platform does: whether it is asked for, its order as it was kept, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot import messages
from bot.errors import Permanent
from bot.jobs.deploy.rollout.spec import RolloutShip
from bot.model import Stage
from bot.ports.images import RemoteOrder

BUILDER, HERE = "builder", "docker"
OF_WHAT_IS_MADE = ("provision", "permissions_boundary")
"""Settings beside those of the builder that say whether what it lacks may be made, and how."""


def builder_of(ship: RolloutShip) -> str:
    """Who builds: `docker`, which is here, or the platform's builder by the name of its settings."""
    return str(ship.plan.environment.ecs.get(BUILDER, HERE))


def builds_remotely(ship: RolloutShip) -> bool:
    """Whether the image is to be made by the platform."""
    return builder_of(ship) != HERE


def remote_settings(ship: RolloutShip) -> Mapping[str, Any]:
    """What the environment says of that builder, and of what may be made that it lacks."""
    ecs = ship.plan.environment.ecs
    making = OF_WHAT_IS_MADE if ecs.get("provision") else ()
    return {**(ecs.get(builder_of(ship)) or {}), **{name: ecs[name] for name in making if name in ecs}}


def kept_order(ship: RolloutShip) -> RemoteOrder | None:
    """The order as it was kept before the build was asked for; None before that."""
    kept: Mapping[str, Any] | None = ship.context.known(Stage.BUILD, "order")
    return RemoteOrder(**kept) if kept else None


async def stop_build(ship: RolloutShip) -> None:
    """End a build that nobody waits for any more. One that cannot be stopped is told in the log, and hides nothing."""
    order = kept_order(ship)
    if order is None or ship.engine.remote is None or ship.context.known(Stage.BUILD, "image_id"):
        return
    try:
        await ship.engine.remote.stop(order)
    except Permanent as refused:
        ship.context.log.line(messages.failure(ship.tools.locale, refused.code, refused.facts))
