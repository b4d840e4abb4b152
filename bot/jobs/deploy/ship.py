"""What every stage of one deployment holds in its hands: the plan, the engine, and how to tell what happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from typing_extensions import TypeVar

from bot import messages
from bot.jobs.context import JobContext
from bot.jobs.deploy.plan import Plan, instance_name, service_name
from bot.model import EventType, Job, JobState, NewEvent, Release, Stage
from bot.ports.engines import Engine, Maker
from bot.ports.images import Source
from bot.ports.running import Instance, TrafficTarget
from bot.store.keys import Secrets
from bot.store.releases import Releases

CHECK_EVERY_S = 0.2
"""Pause between the health checks before and after the switch."""
WATCH_EVERY_S = 1.0
"""Pause between two looks at the figures while a step of the traffic lasts."""

Recheck = Callable[[Job, Plan], Awaitable[None]]
"""Asks GitHub again whether the job may still change anything. Raises Permanent or Transient."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a deployment uses of the house."""

    source: Source
    releases: Releases
    secrets: Secrets
    recheck: Recheck
    base_registry: str | None = None
    locale: str = "en"
    check_every_s: float = CHECK_EVERY_S
    watch_every_s: float = WATCH_EVERY_S
    owner: str = "shipmate"


EngineT = TypeVar("EngineT", bound=Maker, covariant=True, default=Engine)


@dataclass(frozen=True, slots=True)
class Ship(Generic[EngineT]):
    """One deployment under way, on an engine of ours unless it says otherwise."""

    context: JobContext
    plan: Plan
    engine: EngineT
    tools: Tools

    @property
    def job(self) -> Job:
        return self.context.job

    @property
    def service(self) -> str:
        return service_name(self.job)

    @property
    def green_name(self) -> str:
        """Name of the new instance; also its id as a traffic target."""
        return self.plan.instance_id or instance_name(self.job)

    @property
    def has_image_of_another(self) -> bool:
        """Whether the image belongs to a release there was before, so that it is not ours to remove."""
        return self.plan.image is not None or self.context.known(Stage.BUILD, "reused") is not None

    @property
    def image_here(self) -> str | None:
        """The image this job built on the engine here, which nobody else needs; None where there is none."""
        if self.has_image_of_another or self.context.known(Stage.BUILD, "repository"):
            return None
        image: str | None = self.context.known(Stage.BUILD, "image_id")
        return image

    def say(self, key: str, /, **facts: Any) -> str:
        """A sentence for people, in the server's language."""
        return messages.say(self.tools.locale, key, **facts)

    async def progress(self, stage: Stage, key: str, /, **details: Any) -> None:
        """Record one step of a stage."""
        await self.context.tell(EventType.STAGE_PROGRESSED, self._told(stage, key, details), stage, **details)

    def step(self, stage: Stage, key: str, /, **details: Any) -> NewEvent:
        """One step of a stage, for who records it with something else."""
        return NewEvent(EventType.STAGE_PROGRESSED, self._told(stage, key, details), stage, details)

    async def move(self, state: JobState, stage: Stage, key: str, /, **details: Any) -> None:
        """Record one step of a stage with which the job goes into another state."""
        told = {**details, "state": state.value}
        event = NewEvent(EventType.STAGE_PROGRESSED, self._told(stage, key, details), stage, told)
        await self.context.advance(state, stage, event)

    def _told(self, stage: Stage, key: str, details: Mapping[str, Any]) -> str:
        return f"[Stage {int(stage)}] {self.say(key, **details)}"

    async def blue(self) -> Release | None:
        """The release that serves now, or None at the first deployment."""
        return await self.tools.releases.active(self.job.repository.id, self.job.environment)

    async def green(self: Ship[Engine]) -> Instance | None:
        """The new instance as it is now."""
        return await self.engine.target.look(self.green_name)

    async def green_percent(self: Ship[Engine]) -> int | None:
        """The new instance's share of the traffic; None while it is no target."""
        targets = await self.engine.traffic.targets(self.service)
        return next((target.percent for target in targets if target.id == self.green_name), None)


def as_target(instance: Instance, target_id: str, percent: int, health: str | None) -> TrafficTarget:
    """A running instance as a place for requests. Raises ValueError for one that has no address."""
    if instance.host is None or instance.port is None:
        raise ValueError(f"{target_id} has no address")
    return TrafficTarget(target_id, instance.host, instance.port, percent, health)
