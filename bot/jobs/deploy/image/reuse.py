"""Build once: an image there is already of the same commit, built in the same way, is used and not built again."""

from __future__ import annotations

from bot.jobs.deploy.image.recipe import DEFAULT_PORT
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.ship import Ship
from bot.model import Release, Stage
from bot.ports.engines import Maker


async def use_image_there_is(ship: Ship[Maker]) -> bool:
    """Keep the image of a rollback, a promotion or another environment's release as stage 1's fact; False: build."""
    plan = ship.plan
    if plan.image is not None:
        await _keep(ship, plan.image, plan.image_port, made=plan.made_dockerfile, source=plan.promoted_from)
        return True
    before = await built_before(ship)
    if before is None:
        return False
    made = Plan.from_json(before.spec)
    await ship.context.keep(Stage.BUILD, reused=before.image)
    port = made.image_port or made.environment.port
    await _keep(ship, before.image, port, made=made.made_dockerfile, source=before.environment)
    return True


async def built_before(ship: Ship[Maker]) -> Release | None:
    """A kept release of another environment, of the same commit and the same `build` settings, in the same account."""
    for release in await ship.tools.releases.of_commit(ship.job.repository.id, ship.job.sha):
        made = Plan.from_json(release.spec)
        same = made.image_is_at_hand_for(ship.plan) and dict(made.build) == dict(ship.plan.build)
        if same and release.environment != ship.job.environment and await ship.tools.releases.is_kept(release.id):
            return release
    return None


async def _keep(ship: Ship[Maker], image: str, port: int | None, *, made: bool, source: str | None) -> None:
    serves_at = ship.plan.environment.port or port or DEFAULT_PORT
    await ship.context.keep(Stage.BUILD, image_id=image, port=serves_at, image_port=port, made=made)
    key = "stage.build.reused" if source else "stage.build.kept"
    await ship.progress(Stage.BUILD, key, imageName=image, environment=source)
