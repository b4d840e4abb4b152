"""`--noop`: the image is built and every rule asked, then it is told what a deployment would change; nothing is."""

from __future__ import annotations

from bot.errors import Permanent
from bot.jobs.context import Ending
from bot.jobs.deploy.difference import differences
from bot.jobs.deploy.plan import seconds_between
from bot.jobs.deploy.rollout.ground import rehearsed_ground
from bot.jobs.deploy.ship import Ship
from bot.model import JobState
from bot.ports.engines import Maker


async def rehearse(ship: Ship[Maker]) -> Ending:
    """Ask once more what the switch would ask, tell the difference, and remove the image that was built for it."""
    await ship.tools.recheck(ship.job, ship.plan)
    await _require_secrets(ship)
    changes = list(differences(ship.say, ship.plan.environment, ship.job.sha, await ship.blue()))
    changes += await rehearsed_ground(ship)
    image = ship.image_here
    if image is not None:
        await ship.engine.forget_image(image)
    seconds = seconds_between(ship.job.started_at, ship.context.clock())
    said = ship.say("ended.noop", environment=ship.job.environment, sha=ship.job.sha[:7])
    result = {"noop": True, "changes": changes, "durationSeconds": round(seconds, 3)}
    return Ending(JobState.COMPLETED, "\n".join([said, *(f"- {change}" for change in changes)]), result=result)


async def _require_secrets(ship: Ship[Maker]) -> None:
    for name in ship.plan.environment.secrets.values():
        if await ship.tools.secrets.get(ship.job.repository.full_name, name) is None:
            raise Permanent("secret_missing", name=name, environment=ship.job.environment)
