"""Stage 3: make the service known, and run the release command in the new image before anything of it serves."""

from __future__ import annotations

import dataclasses
import re

from bot.errors import Permanent
from bot.jobs.deploy.plan import instance_name
from bot.jobs.deploy.ship import Ship
from bot.model import Stage
from bot.ports.engines import Maker
from bot.ports.running import InstanceSpec

LIKE_A_SECRET = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|API_?KEY|_KEY\b|DSN", re.IGNORECASE)


async def start_deployment(ship: Ship) -> None:
    """Keep `url`. The release command runs once, unless a crash left it unknown whether it ended."""
    await ship.tools.recheck(ship.job, ship.plan)
    url = await ship.engine.traffic.ensure_service(ship.service, ship.plan.environment.hosts)
    await ship.context.keep(Stage.START, url=url)
    image = ship.context.known(Stage.PUSH, "image")
    await ship.progress(
        Stage.START,
        "stage.start.service",
        image=image,
        serviceName=f"{ship.job.repository.full_name} {ship.job.environment}",
        clusterName=ship.engine.target.name,
        url=url,
    )
    command = ship.plan.environment.release_command
    if command and ship.plan.release_id is None and not ship.context.known(Stage.START, "released"):
        await _run_release_command(ship, command)


async def _run_release_command(ship: Ship, command: str) -> None:
    await ship.progress(Stage.START, "stage.start.release_command", command=command)
    spec = await instance_spec(ship)
    once = dataclasses.replace(spec, name=f"{instance_name(ship.job)}-release", command=command)
    code = await ship.engine.target.run_once(once, ship.context.log.line)
    if code != 0:
        raise Permanent("release_command_failed", command=command, exit_code=code)
    await ship.context.keep(Stage.START, released=True)


async def instance_spec(ship: Ship) -> InstanceSpec:
    """The new instance: the environment's settings, with the secrets it names, each masked from now on."""
    settings, context = ship.plan.environment, ship.context
    mask_what_was_given(ship)
    made = context.known(Stage.BUILD, "made") or ship.plan.made_dockerfile
    return InstanceSpec(
        name=instance_name(ship.job),
        image=context.known(Stage.PUSH, "image"),
        service=ship.service,
        job_id=ship.job.id,
        port=context.known(Stage.BUILD, "port"),
        env={**settings.env, **await secret_values(ship)},
        command=settings.command or (None if made else ship.plan.build.get("start")),
        memory_mb=settings.memory_mb,
        cpus=settings.cpus,
        pids=settings.pids,
        read_only=settings.read_only if settings.read_only is not None else bool(made),
        labels={"shipmate.repository": ship.job.repository.full_name, "shipmate.environment": ship.job.environment},
    )


def mask_what_was_given(ship: Ship[Maker]) -> None:
    """A variable that was set by hand and is called like a secret is not shown from now on."""
    for name in ship.plan.set_by_hand:
        if LIKE_A_SECRET.search(name):
            ship.context.masker.register(ship.plan.environment.env.get(name, ""))


async def secret_values(ship: Ship[Maker]) -> dict[str, str]:
    """Variable → value, each masked from now on. Raises Permanent("secret_missing")."""
    values: dict[str, str] = {}
    for variable, name in ship.plan.environment.secrets.items():
        value = await ship.tools.secrets.get(ship.job.repository.full_name, name)
        if value is None:
            raise Permanent("secret_missing", name=name, environment=ship.job.environment)
        ship.context.masker.register(value)
        values[variable] = value
    return values
