"""Runs the six stages in order, each within its limit, taking up again at the one where it stood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic

from bot import messages
from bot.errors import Permanent
from bot.jobs.context import Ending, Failure, JobContext
from bot.jobs.deploy.berth import entered
from bot.jobs.deploy.plan import Plan
from bot.jobs.deploy.rehearse import rehearse
from bot.jobs.deploy.rollout.complete import complete_rollout, forget_built_image
from bot.jobs.deploy.rollout.lifecycle import begin_rollout
from bot.jobs.deploy.rollout.prepare import prepare_rollout
from bot.jobs.deploy.rollout.traffic import shift_traffic
from bot.jobs.deploy.rollout.undo import undo_rollout
from bot.jobs.deploy.ship import EngineT, Ship, Tools
from bot.jobs.deploy.stages.complete import complete, ending
from bot.jobs.deploy.stages.lifecycle import start_green
from bot.jobs.deploy.stages.push import push_image
from bot.jobs.deploy.stages.start import start_deployment
from bot.jobs.deploy.stages.switch import switch_traffic
from bot.jobs.deploy.undo import ending_of, undo
from bot.jobs.deploy.watching.steps import STAGE_S, waits
from bot.model import STATE_OF_STAGE, EventType, Job, JobState, NewEvent, Stage
from bot.ports.engines import Accounts, AnyEngine, Engine, Maker, RolloutEngine

OUT_OF_REACH = frozenset({"target_unavailable", "connection_removed", "connection_denied", "connection_not_lent"})
"""Why nothing can be put back: the server has no such engine any more, or nobody lets it in."""


async def _build_image(ship: Ship[Maker]) -> None:
    """Loaded with the first build: what knows every kind of repository is a tenth of a server's start."""
    from bot.jobs.deploy.stages.build import build_image

    await build_image(ship)


async def _build_for_rollout(ship: Ship[RolloutEngine]) -> None:
    """Loaded as late, for the same reason."""
    from bot.jobs.deploy.rollout.build import build_for_rollout

    await build_for_rollout(ship)


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
        Stage.BUILD: _build_for_rollout,
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
    """The work of deploy and rollback jobs. `engines` by target name; `stage_limit_s` holds for each stage.

    `accounts` are other people's, which an environment with a connection is deployed to.
    """

    def __init__(
        self,
        engines: Mapping[str, AnyEngine],
        tools: Tools,
        stage_limit_s: float = STAGE_S,
        accounts: Accounts | None = None,
    ) -> None:
        self._engines = engines
        self._tools = tools
        self._stage_limit_s = stage_limit_s
        self._accounts = accounts

    async def run(self, context: JobContext) -> Ending:
        """The stages not done yet, in order; where nothing may change, the build alone."""
        async with self._voyage(context) as voyage:
            ship = voyage.ship
            for stage, work in voyage.stages.items():
                if not context.known(stage, "done") and (stage is Stage.BUILD or not ship.plan.noop):
                    await self._stage(ship, stage, work)
            return await rehearse(ship) if ship.plan.noop else ending(ship)

    async def undo(self, context: JobContext, failure: Failure) -> Ending:
        """Blue serves again, green is gone; what is out of reach stays, and is told."""
        try:
            async with self._voyage(context) as voyage:
                return await voyage.undo(failure)
        except Permanent as shut:
            if shut.code not in OUT_OF_REACH:
                raise
            return await self._out_of_reach(context, failure, shut)

    async def _out_of_reach(self, context: JobContext, failure: Failure, shut: Permanent) -> Ending:
        """Nobody lets us in to put anything back: where a rollout may be under way, somebody has to look."""
        plan = Plan.from_json(context.job.spec)
        ship = Ship(context, plan, next(iter(self._engines.values())), self._tools)
        if plan.connection is not None:
            await forget_built_image(ship)
        told = await ending_of(ship, failure, restored=False, url=None)
        why = [told.message]
        if shut.code != failure.code:
            why.append(messages.failure(self._tools.locale, shut.code, shut.facts))
        if context.known(Stage.LIFECYCLE, "started"):
            why.append(ship.say("undo.out_of_reach"))
            told = replace(told, error_code="undo_failed")
        return replace(told, message=" ".join(why), error_message=" ".join(why))

    @asynccontextmanager
    async def _voyage(self, context: JobContext) -> AsyncIterator[Voyage]:
        """The ship with its engine, held until the end of the block. Raises Permanent where there is none."""
        plan = Plan.from_json(context.job.spec)
        async with self._engine(context.job, plan) as engine:
            if isinstance(engine, RolloutEngine):
                yield Voyage.of(Ship(context, plan, engine, self._tools), PLATFORM_WAY)
            else:
                yield Voyage.of(Ship(context, plan, engine, self._tools), OWN_WAY)

    @asynccontextmanager
    async def _engine(self, job: Job, plan: Plan) -> AsyncIterator[AnyEngine]:
        """The server's own engine of that target, or the one over the account that the environment names."""
        where = job.repository.full_name, job.environment
        async with entered(self._engines, self._accounts, plan, *where) as engine:
            if engine is None:
                raise Permanent("target_unavailable", target=plan.target, known=sorted(self._engines))
            with _named(plan.connection):
                yield engine

    async def _stage(self, ship: Ship[Maker], stage: Stage, work: Callable[[], Awaitable[None]]) -> None:
        name = ship.say(f"stage.{int(stage)}")
        await ship.context.advance(
            _state_at_start(ship.context.state, stage),
            stage,
            NewEvent(EventType.STAGE_STARTED, f"[Stage {int(stage)}] {name}", stage, {"stage": int(stage)}),
        )
        await ship.context.keep(stage, started=True)
        began = time.monotonic()
        limit_s = self._stage_limit_s + waits(ship.plan).get(stage, 0.0)
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


@contextmanager
def _named(connection: str | None) -> Iterator[None]:
    """What AWS no longer takes is told with the connection it came from. Raises Permanent("connection_denied")."""
    try:
        yield
    except Permanent as denied:
        if connection is None or denied.code != "aws_credentials_invalid":
            raise
        raise Permanent("connection_denied", connection=connection, message=denied.facts["message"]) from denied


def _state_at_start(now: JobState, stage: Stage) -> JobState:
    """Stage 1 looks at the repository before it builds; one that is taken up again while building stays so."""
    return now if stage is Stage.BUILD else STATE_OF_STAGE[stage]
