"""Leads each call to who rolls out: ECS itself, or the state machine that an environment's settings name."""

from __future__ import annotations

from aws.follow import FollowedRollouts, is_execution
from aws.rollouts import EcsRollouts
from bot.ports.images import LogSink
from bot.ports.rollouts import Prepared, RolloutSpec, RolloutView, Serving
from bot.ports.running import TrafficStats


class ChosenRollouts:
    """A `ports.Rollouts`: by the settings where there are some, else by the form of the rollout's id."""

    name = "ecs"

    def __init__(self, own: EcsRollouts, followed: FollowedRollouts) -> None:
        self._own, self._followed = own, followed

    async def prepare(self, spec: RolloutSpec) -> Prepared:
        """By the settings."""
        return await self._for(spec).prepare(spec)

    async def run_once(self, spec: RolloutSpec, revision: str, command: str, log: LogSink) -> int:
        """By the settings."""
        return await self._for(spec).run_once(spec, revision, command, log)

    async def find(self, spec: RolloutSpec, prepared: Prepared) -> str | None:
        """By the settings."""
        return await self._for(spec).find(spec, prepared)

    async def begin(self, spec: RolloutSpec, prepared: Prepared, *, gated: bool = True) -> str:
        """By the settings."""
        return await self._for(spec).begin(spec, prepared, gated=gated)

    async def look(self, rollout: str) -> RolloutView:
        """By the id."""
        return await self._of(rollout).look(rollout)

    async def go_on(self, rollout: str, pause: str) -> None:
        """By the id."""
        await self._of(rollout).go_on(rollout, pause)

    async def go_back(self, rollout: str) -> None:
        """By the id."""
        await self._of(rollout).go_back(rollout)

    async def measured(
        self, spec: RolloutSpec, rollout: str, seconds: float
    ) -> tuple[TrafficStats | None, TrafficStats | None]:
        """By the id."""
        return await self._of(rollout).measured(spec, rollout, seconds)

    async def output(self, spec: RolloutSpec, rollout: str, lines: int) -> list[str]:
        """By the id."""
        return await self._of(rollout).output(spec, rollout, lines)

    async def forget(self, spec: RolloutSpec) -> None:
        """By the settings."""
        await self._for(spec).forget(spec)

    async def serving(self, rollout: str) -> Serving | None:
        """By the id."""
        return await self._of(rollout).serving(rollout)

    async def leftovers(self) -> list[str]:
        """ECS itself leaves none."""
        return await self._followed.leftovers()

    async def clear(self, job_id: str) -> None:
        """ECS itself leaves nothing."""
        await self._followed.clear(job_id)

    def _for(self, spec: RolloutSpec) -> EcsRollouts | FollowedRollouts:
        return self._followed if spec.place.get("follow") else self._own

    def _of(self, rollout: str) -> EcsRollouts | FollowedRollouts:
        return self._followed if is_execution(rollout) else self._own
