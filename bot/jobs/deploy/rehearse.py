"""`--noop`: the image is built and every rule asked, then it is told what a deployment would change; nothing is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from bot.errors import Permanent
from bot.jobs.context import Ending
from bot.jobs.deploy.plan import Plan, seconds_between
from bot.jobs.deploy.ship import Ship
from bot.jobs.deploy.steps import steps_of
from bot.model import JobState, Release, Stage
from bot.ports import Maker
from bot.repo_config import EnvironmentConfig

NOT_COMPARED = frozenset({"name", "env", "secrets", "traffic", "gate", "params", "branch"})


async def rehearse(ship: Ship[Maker]) -> Ending:
    """Ask once more what the switch would ask, tell the difference, and remove the image that was built for it."""
    await ship.tools.recheck(ship.job, ship.plan)
    await _require_secrets(ship)
    changes = list(what_would_change(ship, await ship.blue()))
    image = ship.context.known(Stage.BUILD, "image_id")
    if image and not ship.has_image_of_another:
        await ship.engine.forget_image(image)
    seconds = seconds_between(ship.job.started_at, ship.context.clock())
    said = ship.say("ended.noop", environment=ship.job.environment, sha=ship.job.sha[:7])
    result = {"noop": True, "changes": changes, "durationSeconds": round(seconds, 3)}
    return Ending(JobState.COMPLETED, "\n".join([said, *(f"- {change}" for change in changes)]), result=result)


async def _require_secrets(ship: Ship[Maker]) -> None:
    for name in ship.plan.environment.secrets.values():
        if await ship.tools.secrets.get(ship.job.repository.full_name, name) is None:
            raise Permanent("secret_missing", name=name, environment=ship.job.environment)


def what_would_change(ship: Ship[Maker], blue: Release | None) -> Iterator[str]:
    """A sentence for each difference to what serves now. Variables by name only: a value may be a secret."""
    new = ship.plan.environment
    if blue is None:
        yield ship.say("noop.first", sha=ship.job.sha[:7])
        old = EnvironmentConfig(new.name)
    else:
        yield ship.say("noop.commit", before=blue.sha[:7], version=blue.version, sha=ship.job.sha[:7])
        old = Plan.from_json(blue.spec).environment
    yield from _named(ship, "noop.env", old.env, new.env)
    yield from _named(ship, "noop.secrets", old.secrets, new.secrets)
    yield from _settings(ship, old, new)
    if new.release_command:
        yield ship.say("noop.release_command", command=new.release_command)
    steps = steps_of(new.traffic, has_blue=blue is not None)
    yield ship.say("noop.traffic", steps=" → ".join(f"{step.percent} % ({step.hold_s} s)" for step in steps))


def _named(ship: Ship[Maker], key: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """`+A`, `-B`, `~C`: added, gone, changed."""
    marks = [f"+{name}" for name in sorted(new.keys() - old.keys())]
    marks += [f"-{name}" for name in sorted(old.keys() - new.keys())]
    marks += [f"~{name}" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    if marks:
        yield ship.say(key, names=", ".join(f"`{mark}`" for mark in marks))


def _settings(ship: Ship[Maker], old: EnvironmentConfig, new: EnvironmentConfig) -> Iterator[str]:
    """The port is found in the image where it is not set, so that it is compared only where it is."""
    for field in dataclasses.fields(EnvironmentConfig):
        before, after = getattr(old, field.name), getattr(new, field.name)
        unset = field.name == "port" and after is None
        if field.name not in NOT_COMPARED and before != after and not unset:
            yield ship.say("noop.setting", name=field.name, before=before, after=after)
