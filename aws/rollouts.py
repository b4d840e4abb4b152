"""Rolls versions out on ECS: registers them, begins one deployment for each job, and answers for how it stands."""

from __future__ import annotations

from collections.abc import Mapping

from aws import alarms, balancer, deployments, metrics, revisions, secrets, services, tags, tasks
from aws.arns import balancer_of, service_of
from aws.clients import AwsClients
from aws.definition import task_definition
from aws.place import Place, PlaceSource, stated_place
from aws.repeat import FIRST_PAUSE_S, settled
from bot.errors import Permanent
from bot.ports.images import LogSink
from bot.ports.rollouts import Pace, Prepared, RolloutSpec, RolloutStatus, RolloutView, Serving
from bot.ports.running import TrafficStats


class EcsRollouts:
    """A `ports.Rollouts`. `owner` marks what this installation makes; `places` says what a service stands on."""

    name = "ecs"

    def __init__(
        self,
        clients: AwsClients,
        owner: str,
        *,
        places: PlaceSource = stated_place,
        pace: Pace | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._clients, self._owner, self._places = clients, owner, places
        self._pace = pace or Pace()
        self._first_pause_s = first_pause_s
        self._groups: dict[str, tuple[str | None, str | None]] = {}

    async def prepare(self, spec: RolloutSpec) -> Prepared:
        """Register the version; a rollback's revision is used as it is while it is still registered.

        Raises Permanent: "ecs_setting_missing", "cluster_missing", "service_controller", "rollout_under_way",
        "alarm_ringing", "alarm_missing".
        """
        place = await self._places(spec)
        await alarms.require_silent(self._clients, place.alarms)
        name = services.name_of(spec, place)
        service = await services.look(self._clients, place.cluster, name)
        past = await deployments.history(self._clients, place.cluster, name) if service else []
        if past and not past[0].status.is_over:
            raise Permanent("rollout_under_way", service=name, rollout=past[0].arn)
        url, test_url = await balancer.addresses(self._clients, place, spec)
        return Prepared(
            revision=await self._revision(spec, place),
            url=url,
            test_url=test_url,
            before=service.task_definition if service else None,
            place_name=place.cluster,
            last_rollout=past[0].arn if past else None,
            moved=service is not None and services.is_to_move(service, spec, place),
        )

    async def run_once(self, spec: RolloutSpec, revision: str, command: str, log: LogSink) -> int:
        """A task beside the service, with the new version's settings."""
        place = await self._places(spec)
        return await tasks.run_once(self._clients, spec, place, revision, command, log, self._pace)

    async def find(self, spec: RolloutSpec, prepared: Prepared) -> str | None:
        """The deployment of the revision that is newer than those there were."""
        place = await self._places(spec)
        return await self._find(place.cluster, services.name_of(spec, place), prepared)

    async def begin(self, spec: RolloutSpec, prepared: Prepared, *, gated: bool = True) -> str:
        """Create or update the service, unless this job did so before; answers the deployment's ARN."""
        place = await self._places(spec)
        name = services.name_of(spec, place)

        async def make() -> None:
            if prepared.before is None and await services.look(self._clients, place.cluster, name) is None:
                marks = tags.of_spec(spec, self._owner)
                await services.create(self._clients, spec, place, prepared.revision, marks, gated=gated)
            else:
                revision, moved = prepared.revision, prepared.moved
                await services.update(self._clients, spec, place, revision, gated=gated, moved=moved)

        return await settled(lambda: self._find(place.cluster, name, prepared), make, self._first_pause_s)

    async def _find(self, cluster: str, name: str, prepared: Prepared) -> str | None:
        return await deployments.begun(self._clients, cluster, name, prepared.revision, prepared.last_rollout)

    async def look(self, rollout: str) -> RolloutView:
        """One call."""
        return deployments.view(await deployments.described(self._clients, rollout))

    async def go_on(self, rollout: str, pause: str) -> None:
        """ContinueServiceDeployment."""
        await deployments.go_on(self._clients, rollout, pause)

    async def go_back(self, rollout: str) -> None:
        """StopServiceDeployment with ROLLBACK."""
        await deployments.go_back(self._clients, rollout)

    async def measured(
        self, spec: RolloutSpec, rollout: str, seconds: float
    ) -> tuple[TrafficStats | None, TrafficStats | None]:
        """Blue and green as the load balancer counted them, a minute or two ago. One call, three the first time."""
        place = await self._places(spec)
        groups = self._groups.get(rollout) or await deployments.target_groups_of(self._clients, rollout)
        if groups[1] is not None:
            self._groups[rollout] = groups
        seen = await metrics.counted(self._clients, balancer_of(place.listener_rule), list(groups), seconds)
        return seen[0], seen[1]

    async def output(self, spec: RolloutSpec, rollout: str, lines: int) -> list[str]:
        """Why the tasks that ended last did, and what the last of them wrote."""
        place = await self._places(spec)
        cluster, service = service_of(rollout)
        reasons, arns = await tasks.why_ended(self._clients, cluster, service)
        last = await tasks.written(self._clients, spec, place, arns[0], lines) if arns else []
        return [*reasons, *last]

    async def serving(self, rollout: str) -> Serving:
        """Two calls. What the service stands on is read from the rollout's own name: nothing is looked for, or made."""
        cluster, name = service_of(rollout)
        service = await services.look(self._clients, cluster, name)
        if service is None:
            return Serving(None)
        newest = next(iter(await deployments.history(self._clients, cluster, name)), None)
        under_way = newest.arn if newest and not newest.status.is_over else None
        stuck = newest.arn if newest and newest.status is RolloutStatus.STUCK else None
        return Serving(service.task_definition, under_way, stuck)

    async def forget(self, spec: RolloutSpec) -> None:
        """Delete the service where its tags say that this very job made it."""
        place = await self._places(spec)
        name = services.name_of(spec, place)
        service = await services.look(self._clients, place.cluster, name)
        if service is not None and self._made_by(service.tags, spec):
            await services.delete(self._clients, place.cluster, name)

    def _made_by(self, marks: Mapping[str, str], spec: RolloutSpec) -> bool:
        return marks.get(tags.OWNER) == self._owner and marks.get(tags.JOB) == spec.job_id

    async def _revision(self, spec: RolloutSpec, place: Place) -> str:
        if spec.revision is not None and await revisions.described(self._clients, spec.revision):
            return spec.revision
        kept = await secrets.references(self._clients, spec, self._owner)
        wanted = task_definition(spec, place, {**place.secrets, **kept}, self._clients.region)
        return await revisions.registered(self._clients, wanted, tags.of_spec(spec, self._owner), self._first_pause_s)
