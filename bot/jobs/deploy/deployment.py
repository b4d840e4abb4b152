"""Runs the six stages in order, each within its limit, taking up again at the one where it stood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic

from bot import messages
from bot.errors import Permanent
from bot.jobs.context import Ending, Failure, JobContext
from bot.jobs.deploy.complete import complete, ending
from bot.jobs.deploy.lifecycle import start_green
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.push import push_image
from bot.jobs.deploy.rehearse import rehearse
from bot.jobs.deploy.rollout.complete import complete_rollout
from bot.jobs.deploy.rollout.lifecycle import begin_rollout
from bot.jobs.deploy.rollout.prepare import prepare_rollout
from bot.jobs.deploy.rollout.traffic import shift_traffic
from bot.jobs.deploy.rollout.undo import undo_rollout
from bot.jobs.deploy.ship import EngineT, Ship, Tools
from bot.jobs.deploy.start import start_deployment
from bot.jobs.deploy.switch import switch_traffic
from bot.jobs.deploy.undo import undo
from bot.model import STATE_OF_STAGE, EventType, JobState, NewEvent, Stage
from bot.ports import AnyEngine, Engine, Maker, RolloutEngine


async def _build_image(ship: Ship[Maker]) -> None:
    """Loaded with the first build: what knows every kind of repository is a tenth of a server's start."""
    from bot.jobs.deploy.build import build_image

    await build_image(ship)


@dataclass(frozen=True, slots=True)
class Way(Generic[EngineT]):
    """How one kind of engine is shipped to: the six stages, and how they are undone."""

    stages: Mapping[Stage, Callable[[Ship[EngineT]], Awaitable[None]]]
    undo: Callable[[Ship[EngineT], Failure], Awaitable[Ending]]


OWN_WAY: Way[Engine] = Way(
    {
        Stage.BUILD: _build_image,
        Stage.PUSH: push_image,
        Stage.START: start_deployment,
        Stage.LIFECYCLE: start_green,
        Stage.SWITCH: switch_traffic,
        Stage.COMPLETE: complete,
    },
    undo,
)
"""We start instances and move traffic ourselves."""

PLATFORM_WAY: Way[RolloutEngine] = Way(
    {
        Stage.BUILD: _build_image,
        Stage.PUSH: push_image,
        Stage.START: prepare_rollout,
        Stage.LIFECYCLE: begin_rollout,
        Stage.SWITCH: shift_traffic,
        Stage.COMPLETE: complete_rollout,
    },
    undo_rollout,
)
"""The platform does, and asks us at its pauses."""


@dataclass(frozen=True, slots=True)
class Voyage:
    """One deployment with the way it goes."""

    ship: Ship[Maker]
    stages: Mapping[Stage, Callable[[], Awaitable[None]]]
    undo: Callable[[Failure], Awaitable[Ending]]

    @classmethod
    def of(cls, ship: Ship[EngineT], way: Way[EngineT]) -> Voyage:
        """Every stage with its ship."""
        return cls(ship, {stage: partial(work, ship) for stage, work in way.stages.items()}, partial(way.undo, ship))


class Deployment:
    """The work of deploy and rollback jobs. `engines` by target name; `stage_limit_s` holds for each stage."""

    def __init__(self, engines: Mapping[str, AnyEngine], tools: Tools, stage_limit_s: float = 600.0) -> None:
        self._engines = engines
        self._tools = tools
        self._stage_limit_s = stage_limit_s

    async def run(self, context: JobContext) -> Ending:
        """The stages not done yet, in order; where nothing may change, the build alone."""
        voyage = self._voyage(context)
        ship = voyage.ship
        for stage, work in voyage.stages.items():
            if not context.known(stage, "done") and (stage is Stage.BUILD or not ship.plan.noop):
                await self._stage(ship, stage, work)
        return await rehearse(ship) if ship.plan.noop else ending(ship)

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        """Blue serves again, green is gone."""
        if Plan.from_json(context.job.spec).target not in self._engines:
            why = messages.failure(self._tools.locale, failure.code, failure.facts)
            return Ending(failure.state, why, {"reason": failure.code}, failure.code, why)
        return await self._voyage(context).undo(failure)

    def _voyage(self, context: JobContext) -> Voyage:
        plan = Plan.from_json(context.job.spec)
        engine = self._engines.get(plan.target)
        if engine is None:
            raise Permanent("target_unavailable", target=plan.target, known=sorted(self._engines))
        if isinstance(engine, RolloutEngine):
            return Voyage.of(Ship(context, plan, engine, self._tools), PLATFORM_WAY)
        return Voyage.of(Ship(context, plan, engine, self._tools), OWN_WAY)

    async def _stage(self, ship: Ship[Maker], stage: Stage, work: Callable[[], Awaitable[None]]) -> None:
        name = ship.say(f"stage.{int(stage)}")
        await ship.context.advance(
            _state_at_start(ship.context.state, stage),
            stage,
            NewEvent(EventType.STAGE_STARTED, f"[Stage {int(stage)}] {name}", stage, {"stage": int(stage)}),
        )
        await ship.context.keep(stage, started=True)
        began = time.monotonic()
        limit_s = self._stage_limit_s + (ship.plan.waits_s if stage is Stage.SWITCH else 0)
        try:
            async with asyncio.timeout(limit_s) as limit:
                await work()
        except TimeoutError as error:
            if not limit.expired():
                raise
            seconds = round(time.monotonic() - began, 1)
            raise Permanent("stage_timeout", stage=int(stage), seconds=seconds, limit_s=limit_s) from error
        seconds = round(time.monotonic() - began, 3)
        await ship.context.keep(stage, done=True, seconds=seconds)
        await ship.context.tell(
            EventType.STAGE_FINISHED,
            f"[Stage {int(stage)}] {ship.say('stage.done', name=name, seconds=f'{seconds:.1f}')}",
            stage,
            stage=int(stage),
            durationSeconds=seconds,
        )


def _state_at_start(now: JobState, stage: Stage) -> JobState:
    """Stage 1 looks at the repository before it builds; one that is taken up again while building stays so."""
    return now if stage is Stage.BUILD else STATE_OF_STAGE[stage]
