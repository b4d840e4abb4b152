"""Stage 1 where the platform builds: the order is kept, then the job's one build is followed to its image."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import datetime

from bot.errors import Permanent, ShipmateError
from bot.inspect.model import AppPlan
from bot.jobs.deploy.image.checkout import (
    Checkout,
    check_out,
    check_out_and_tell,
    facts_of,
    remarks_on,
    throw_away,
)
from bot.jobs.deploy.image.reuse import use_image_there_is
from bot.jobs.deploy.plan import build_arguments, seconds_between
from bot.jobs.deploy.rollout.build_failure import failure_facts
from bot.jobs.deploy.rollout.order import remote_order
from bot.jobs.deploy.rollout.remote import builder_of, builds_remotely, kept_order, remote_settings
from bot.jobs.deploy.rollout.spec import RolloutShip
from bot.jobs.deploy.stages.build import build_image
from bot.jobs.joblog import RECENT_LINES
from bot.model import NewEvent, Stage
from bot.ports.images import BuildNews, BuildPhase, PushedImage, RemoteBuilder, RemoteOrder


async def build_for_rollout(ship: RolloutShip) -> None:
    """Keep `image_id` (by digest), `repository`, `tag`, `port` and `made`; the image is in the registry already.

    Without a remote builder in the settings the image is built here.
    """
    if not builds_remotely(ship):
        await build_image(ship)
        return
    order, checkout = kept_order(ship), None
    if order is None:
        if await use_image_there_is(ship):
            return
        checkout = await check_out_and_tell(ship, buildkit=True)
        order = await _ordered(ship, checkout)
    await _keep_image(ship, order, await _built(ship, order, checkout))
    if checkout is not None:
        await throw_away(checkout)


async def _keep_image(ship: RolloutShip, order: RemoteOrder, pushed: PushedImage) -> None:
    began = datetime.fromisoformat(ship.context.known(Stage.BUILD, "ordered_at"))
    build_ms = round(seconds_between(began, ship.context.clock()) * 1000)
    name = f"{pushed.repository}:{order.tag}"
    told = ship.step(Stage.BUILD, "stage.build.built", imageName=name, imageId=pushed.uri, durationMs=build_ms)
    known = {"image_id": pushed.uri, "repository": pushed.repository, "tag": order.tag, "build_ms": build_ms}
    await ship.context.tell_once(Stage.BUILD, [told], **known)


async def _ordered(ship: RolloutShip, checkout: Checkout) -> RemoteOrder:
    """Kept before anything is asked for: a resume follows the same order, and tells nothing of it again."""
    order = _order(ship, checkout)
    began = ship.context.clock().isoformat()
    kept = {"order": dataclasses.asdict(order), "ordered_at": began, **facts_of(ship, checkout)}
    told = ship.step(Stage.BUILD, "stage.build.ordered", builder=builder_of(ship))
    await ship.context.tell_once(Stage.BUILD, [told], **kept)
    return order


def _order(ship: RolloutShip, checkout: Checkout) -> RemoteOrder:
    recipe = checkout.recipe
    return remote_order(
        ship.job,
        recipe.app or AppPlan(recipe.context),
        dockerfile=recipe.dockerfile,
        context=recipe.context,
        files={path: (checkout.source / path).read_text(encoding="utf-8") for path in recipe.written},
        build_args=build_arguments(ship.plan.build, ship.tools.base_registry),
        source=ship.tools.source.address(ship.job),
        settings=remote_settings(ship),
    )


async def _built(ship: RolloutShip, order: RemoteOrder, checkout: Checkout | None) -> PushedImage:
    """Follow the build; one that failed is told with what its log and the commit say of it."""
    remote = _remote(ship)

    async def tell(news: BuildNews) -> None:
        phases = [_told(ship, phase) for phase in news.phases]
        await ship.context.tell_once(Stage.BUILD, phases, news.lines, mark=dict(news.mark))

    try:
        return await remote.build(order, tell, ship.context.known(Stage.BUILD, "mark") or {})
    except Permanent as failed:
        if "phase" in failed.facts:
            with contextlib.suppress(ShipmateError):
                await _explain(ship, failed, checkout or await check_out(ship, buildkit=True))
        raise


def _remote(ship: RolloutShip) -> RemoteBuilder:
    if ship.engine.remote is None:
        raise Permanent("builder_missing", builder=builder_of(ship))
    return ship.engine.remote


def _told(ship: RolloutShip, phase: BuildPhase) -> NewEvent:
    key = "stage.build.phase" if phase.succeeded else "stage.build.phase_failed"
    return ship.step(Stage.BUILD, key, phase=phase.name, seconds=phase.seconds, why=phase.message)


async def _explain(ship: RolloutShip, failed: Permanent, checkout: Checkout) -> None:
    """By the log as it is stored: another process may have told its end."""
    log = await ship.context.jobs.log_tail(ship.job.id, RECENT_LINES, Stage.BUILD)
    dockerfile = (checkout.source / checkout.recipe.dockerfile).read_text(encoding="utf-8", errors="replace")
    message = str(failed.facts.get("message"))
    failed.facts |= failure_facts(log, checkout.recipe, dockerfile, message)
    failed.facts["remarks"] = await remarks_on(checkout, log)
