"""Stage 3 on a platform: lay the ground, register the version, and run its release command before it serves."""

from __future__ import annotations

import dataclasses

from bot.errors import Permanent
from bot.jobs.deploy.rollout.ground import lay_ground
from bot.jobs.deploy.rollout.spec import RolloutShip, prepared_of, rollout_spec, with_secrets
from bot.model import Stage
from bot.ports.rollouts import RolloutSpec


async def prepare_rollout(ship: RolloutShip) -> None:
    """Keep `prepared` and `url`. What is kept stays: a version is compared with what there was before it began."""
    await ship.tools.recheck(ship.job, ship.plan)
    spec = rollout_spec(ship)
    if ship.context.known(Stage.START, "prepared") is None:
        await lay_ground(ship, spec)
        prepared = await ship.engine.rollouts.prepare(await with_secrets(ship, spec))
        await ship.context.keep(Stage.START, prepared=dataclasses.asdict(prepared), url=prepared.url or None)
    prepared = prepared_of(ship)
    await ship.progress(
        Stage.START,
        "stage.start.service",
        image=spec.image,
        serviceName=spec.service,
        clusterName=prepared.place_name,
        url=prepared.url or None,
        revision=prepared.revision,
    )
    command = ship.plan.environment.release_command
    if command and ship.plan.release_id is None and not ship.context.known(Stage.START, "released"):
        await _run_release_command(ship, spec, command)


async def _run_release_command(ship: RolloutShip, spec: RolloutSpec, command: str) -> None:
    await ship.progress(Stage.START, "stage.start.release_command", command=command)
    revision = prepared_of(ship).revision
    code = await ship.engine.rollouts.run_once(spec, revision, command, ship.context.log.line)
    if code != 0:
        raise Permanent("release_command_failed", command=command, exit_code=code)
    await ship.context.keep(Stage.START, released=True)
