"""Versions roll out on ECS with nothing lost, once each whatever happens to the answers, and back when they fail."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from aws import deployments
from aws.clients import AwsClients
from aws.rollouts import EcsRollouts
from bot.errors import Permanent, Transient
from bot.ports.rollouts import Pace, Prepared, RolloutSpec, RolloutStatus, RolloutView
from tests.aws.emulator.handle import Emulator
from tests.aws.network import CONTAINER_PORT, Network
from tests.aws.people import answer_of, people
from tests.patience import ENOUGH_S

QUICK = Pace(0.02, 0.05, 0.05, 0.05)
FIRST_PAUSE_S = 0.02


@dataclass
class Berth:
    """One service of a network, and the deployments of it."""

    clients: AwsClients
    emulator: Emulator
    network: Network
    rollouts: EcsRollouts
    strategy: dict[str, Any] = field(default_factory=dict)

    def spec(self, does: str, **other: Any) -> RolloutSpec:
        """A new job's version, which behaves as told."""
        net = self.network
        image = f"{net.name}/{uuid.uuid4().hex}"
        self.emulator.has_image(image, does)
        spec = RolloutSpec(
            service=f"shipmate-{net.name}",
            repository="acme/api",
            environment="production",
            job_id=f"dep_{uuid.uuid4().hex[:10]}",
            image=image,
            port=CONTAINER_PORT,
            health="/",
            place=net.place(),
        )
        return replace(spec, **{**self.strategy, **other})

    async def ship(self, spec: RolloutSpec) -> RolloutView:
        """The whole way, answering every pause at once."""
        prepared = await self.rollouts.prepare(spec)
        return await self.over(await self.rollouts.begin(spec, prepared))

    async def over(self, rollout: str) -> RolloutView:
        """Answer pauses until it is over."""
        async with asyncio.timeout(ENOUGH_S):
            while not (view := await self.rollouts.look(rollout)).status.is_over:
                for pause in view.waiting:
                    await self.rollouts.go_on(rollout, pause)
                await asyncio.sleep(0.02)
        return view

    async def until(self, rollout: str, stage: str) -> RolloutView:
        """Return once it is in a stage."""
        async with asyncio.timeout(ENOUGH_S):
            while True:
                view = await self.rollouts.look(rollout)
                if view.stage == stage:
                    return view
                await asyncio.sleep(0.01)

    async def until_waiting(self, rollout: str) -> RolloutView:
        """Return once it waits for an answer."""
        async with asyncio.timeout(ENOUGH_S):
            while True:
                view = await self.rollouts.look(rollout)
                if view.waiting:
                    return view
                await asyncio.sleep(0.01)

    async def answers(self) -> str:
        """What people get."""
        return await answer_of(self.network.url)

    def people(self) -> AbstractAsyncContextManager[Counter[str]]:
        """Those who ask all the time."""
        return people(self.network.url, 3)

    async def revisions(self) -> int:
        """How many revisions the service's family has."""
        reply = await self.clients.call("ecs", "ListTaskDefinitions", familyPrefix=f"shipmate-{self.network.name}")
        return len(reply["taskDefinitionArns"])

    async def services(self) -> int:
        """How many services the cluster has."""
        reply = await self.clients.call("ecs", "ListServices", cluster=self.network.cluster)
        return len(reply["serviceArns"])

    async def deployments(self) -> int:
        """How many deployments the service ever had."""
        reply = await self.clients.call(
            "ecs", "ListServiceDeployments", cluster=self.network.cluster, service=f"shipmate-{self.network.name}"
        )
        return len(reply["serviceDeployments"])


@pytest.fixture
def harbour(clients: AwsClients, emulator: Emulator, network: Network) -> Berth:
    rollouts = EcsRollouts(clients, "test", pace=QUICK, first_pause_s=FIRST_PAUSE_S)
    return Berth(clients, emulator, network, rollouts)


@pytest.fixture
async def running(harbour: Berth) -> Berth:
    """A harbour where version one serves."""
    assert (await harbour.ship(harbour.spec("serve one"))).status is RolloutStatus.DONE
    return harbour


STRATEGIES: dict[str, dict[str, Any]] = {
    "blue-green": {"strategy": "all", "bake_s": 60},
    "canary": {"strategy": "canary", "percent": 30.0, "every_s": 60},
    "linear": {"strategy": "linear", "percent": 40.0, "every_s": 60},
    "rolling": {"strategy": "rolling"},
}


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_no_request_is_lost_while_a_version_takes_over(harbour: Berth, strategy: str) -> None:
    harbour.strategy = STRATEGIES[strategy]
    await harbour.ship(harbour.spec("serve one"))
    async with harbour.people() as seen:
        assert (await harbour.ship(harbour.spec("serve two"))).status is RolloutStatus.DONE
        seen["now"] = seen["200 two"]
        await asyncio.sleep(0.2)
    assert seen.pop("now") < seen["200 two"]
    assert set(seen) == {"200 one", "200 two"}
    assert await harbour.answers() == "200 two"


@pytest.mark.parametrize("strategy", ["blue-green", "canary", "linear"])
async def test_no_request_is_lost_while_a_version_is_taken_back(running: Berth, strategy: str) -> None:
    spec = running.spec("serve two", **{**STRATEGIES[strategy], "bake_s": 6000})
    prepared = await running.rollouts.prepare(spec)
    async with running.people() as seen:
        rollout = await running.rollouts.begin(spec, prepared)
        while (view := await running.rollouts.look(rollout)).stage != "BAKE_TIME":
            for pause in view.waiting:
                await running.rollouts.go_on(rollout, pause)
        await running.rollouts.go_back(rollout)
        assert (await running.over(rollout)).status is RolloutStatus.UNDONE
    assert set(seen) == {"200 one", "200 two"}
    assert await running.answers() == "200 one"


async def test_a_first_version_is_shipped_the_same_way_and_may_be_forgotten(harbour: Berth) -> None:
    spec = harbour.spec("exit 3")
    view = await harbour.ship(spec)
    assert view.status is RolloutStatus.STUCK
    rollout = await harbour.rollouts.begin(spec, await harbour.rollouts.prepare(spec))
    assert "exit code 3" in (await harbour.rollouts.output(spec, rollout, 10))[0]
    await harbour.rollouts.forget(harbour.spec("serve other"))
    assert await harbour.services() == 1
    await harbour.rollouts.forget(spec)
    assert await harbour.rollouts.prepare(harbour.spec("serve two"))


async def test_a_version_that_ends_leaves_the_old_one(running: Berth) -> None:
    view = await running.ship(running.spec("exit 3"))
    assert view.status is RolloutStatus.UNDONE
    assert "exited (3)" in view.reason
    assert await running.answers() == "200 one"


async def test_a_rollback_that_failed_is_not_called_one(running: Berth) -> None:
    running.emulator.is_like(rollbacks_fail=True)
    assert (await running.ship(running.spec("exit 3"))).status is RolloutStatus.STUCK


async def test_going_back_to_a_release_uses_its_own_revision(running: Berth) -> None:
    first = await running.rollouts.prepare(running.spec("serve two"))
    assert first.before is not None
    await running.ship(running.spec("serve three"))
    revisions = await running.revisions()
    again = running.spec("serve nothing", revision=first.before)
    prepared = await running.rollouts.prepare(again)
    assert (prepared.revision, await running.revisions()) == (first.before, revisions)
    await running.over(await running.rollouts.begin(again, prepared))
    assert await running.answers() == "200 one"


@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
@pytest.mark.parametrize(
    "operation",
    ["DescribeAlarms", "PutSecretValue", "CreateSecret", "RunTask", "DescribeTasks", "GetMetricData", "DeleteService"],
)
async def test_what_is_asked_beside_the_rollout_is_asked_again(harbour: Berth, operation: str, kind: str) -> None:
    name = harbour.network.name
    await raise_alarm(harbour.clients, name, "OK")
    spec = harbour.spec("serve one", secrets={"TOKEN": "t"})
    spec = replace(spec, place={**spec.place, "alarms": [name]})
    harbour.emulator.goes_wrong({"kind": kind, "operation": operation, "times": 2})
    prepared = await harbour.rollouts.prepare(spec)
    assert await harbour.rollouts.run_once(spec, prepared.revision, "true", print) == 0
    rollout = await harbour.rollouts.begin(spec, prepared)
    await harbour.over(rollout)
    await harbour.rollouts.measured(spec, rollout, 60)
    await harbour.rollouts.forget(spec)
    assert harbour.emulator.fired() == [2]
    assert await harbour.services() == 0


@pytest.mark.parametrize("operation", ["StopServiceDeployment", "DescribeServiceDeployments"])
@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
async def test_a_call_that_goes_wrong_on_the_way_back_changes_nothing(
    running: Berth, operation: str, kind: str
) -> None:
    spec = running.spec("serve two", bake_s=6000)
    rollout = await running.rollouts.begin(spec, await running.rollouts.prepare(spec))
    await running.until_waiting(rollout)
    running.emulator.goes_wrong({"kind": kind, "operation": operation, "times": 2})
    await running.rollouts.go_back(rollout)
    await running.rollouts.go_back(rollout)
    assert (await running.over(rollout)).status is RolloutStatus.UNDONE
    assert await running.answers() == "200 one"


async def test_what_was_begun_is_found_again_at_every_stage(running: Berth) -> None:
    spec = running.spec("serve two", bake_s=60)
    prepared = await running.rollouts.prepare(spec)
    rollout = await running.rollouts.begin(spec, prepared)
    stages: list[str] = []
    while not (view := await running.rollouts.look(rollout)).status.is_over:
        stages.append(view.stage)
        assert await running.rollouts.begin(spec, prepared) == rollout
        for pause in view.waiting:
            await running.rollouts.go_on(rollout, pause)
    assert {"PRE_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"} <= set(stages)
    assert await running.deployments() == 2


async def test_two_jobs_of_one_service_do_not_mix(running: Berth) -> None:
    first = running.spec("serve two")
    rollout = await running.rollouts.begin(first, await running.rollouts.prepare(first))
    with pytest.raises(Permanent, match="rollout_under_way"):
        await running.rollouts.prepare(running.spec("serve three"))
    await running.over(rollout)


async def test_an_alarm_that_fires_already_stops_it_before_anything_is_made(running: Berth) -> None:
    name = f"{running.network.name}-errors"
    spec = running.spec("serve two")
    spec = replace(spec, place={**spec.place, "alarms": [name]})
    with pytest.raises(Permanent, match="alarm_missing"):
        await running.rollouts.prepare(spec)
    await raise_alarm(running.clients, name, "ALARM")
    with pytest.raises(Permanent, match="alarm_ringing"):
        await running.rollouts.prepare(spec)
    assert await running.revisions() == 1


async def test_an_alarm_that_fires_in_the_bake_time_takes_it_back(running: Berth) -> None:
    name = f"{running.network.name}-errors"
    await raise_alarm(running.clients, name, "OK")
    spec = running.spec("serve two", bake_s=6000)
    spec = replace(spec, place={**spec.place, "alarms": [name]})
    rollout = await running.rollouts.begin(spec, await running.rollouts.prepare(spec), gated=False)
    await running.until(rollout, "BAKE_TIME")
    await running.clients.call("cloudwatch", "SetAlarmState", AlarmName=name, StateValue="ALARM", StateReason="test")
    view = await running.over(rollout)
    assert view.status is RolloutStatus.UNDONE
    assert name in view.reason


async def test_a_release_command_runs_once_in_the_new_version(running: Berth) -> None:
    await running.clients.call("logs", "CreateLogGroup", logGroupName=running.network.name)
    spec = running.spec("serve two", env={"TABLE": "users"})
    spec = replace(spec, place={**spec.place, "log_group": running.network.name})
    prepared = await running.rollouts.prepare(spec)
    lines: list[str] = []
    running.emulator.goes_wrong({"kind": "cut", "operation": "RunTask"})
    command = "echo migrated $TABLE; exit 4"
    assert await running.rollouts.run_once(spec, prepared.revision, command, lines.append) == 4
    assert lines == ["migrated users"]


async def test_a_release_command_that_ended_unseen_long_ago_is_not_waited_for(running: Berth) -> None:
    await running.clients.call("logs", "CreateLogGroup", logGroupName=running.network.name)
    spec = running.spec("serve two")
    spec = replace(spec, place={**spec.place, "log_group": running.network.name})
    prepared = await running.rollouts.prepare(spec)
    await running.rollouts.run_once(spec, prepared.revision, "echo migrated", print)
    running.emulator.forgets_tasks()
    lines: list[str] = []
    async with asyncio.timeout(ENOUGH_S):
        with pytest.raises(Permanent, match="release_task_forgotten") as forgotten:
            await running.rollouts.run_once(spec, prepared.revision, "echo migrated", lines.append)
    assert forgotten.value.facts["command"] == "echo migrated"
    assert lines == ["migrated"]


async def test_a_release_command_that_is_not_there_says_so(running: Berth) -> None:
    spec = running.spec("serve two")
    prepared = await running.rollouts.prepare(spec)
    with pytest.raises(Permanent, match="start_failed") as failed:
        await running.rollouts.run_once(spec, prepared.revision, "no-such-program", print)
    assert "CannotStartContainerError" in failed.value.facts["message"]


@pytest.mark.parametrize(
    "fault", [[], [{"kind": "deny", "operation": "StopTask"}]], ids=["stopped", "not to be stopped"]
)
async def test_a_release_command_is_stopped_with_the_job(running: Berth, fault: list[dict[str, Any]]) -> None:
    spec = running.spec("serve two")
    prepared = await running.rollouts.prepare(spec)
    running.emulator.goes_wrong(*fault)
    doing = asyncio.create_task(running.rollouts.run_once(spec, prepared.revision, "sleep 60", lambda line: None))
    async with asyncio.timeout(ENOUGH_S):
        while "ecs.DescribeTasks" not in running.emulator.calls():  # noqa: ASYNC110 - nobody here could set an event
            await asyncio.sleep(0.01)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert "ecs.StopTask" in running.emulator.calls()


async def test_secrets_go_by_reference_to_the_version_of_this_job(running: Berth) -> None:
    spec = running.spec("serve two", secrets={"DATABASE_URL": "postgres://hunter2"})
    await running.rollouts.prepare(spec)
    again = running.spec("serve three", secrets={"DATABASE_URL": "postgres://changed"})
    await running.rollouts.prepare(again)
    prepared = await running.rollouts.prepare(replace(again))
    told = await running.clients.call("ecs", "DescribeTaskDefinition", taskDefinition=prepared.revision)
    assert "postgres" not in str(told)
    (secret,) = told["taskDefinition"]["containerDefinitions"][0]["secrets"]
    arn, version = secret["valueFrom"].split(":::")
    kept = await running.clients.call("secretsmanager", "GetSecretValue", SecretId=arn, VersionId=version)
    assert kept["SecretString"] == "postgres://changed"


async def heard(seen: Counter[str], answer: str, times: int) -> None:
    """Return once people were answered that so many times."""
    async with asyncio.timeout(ENOUGH_S):
        while seen[answer] < times:  # noqa: ASYNC110 - nobody here could set an event
            await asyncio.sleep(0.01)


async def test_what_the_load_balancer_counted_is_told_for_blue_and_green(running: Berth) -> None:
    spec = running.spec("flaky 2", bake_s=6000)
    rollout = await running.rollouts.begin(spec, await running.rollouts.prepare(spec))
    async with running.people() as seen:
        view = await running.until_waiting(rollout)
        await heard(seen, "200 one", 10)
        for pause in view.waiting:
            await running.rollouts.go_on(rollout, pause)
        await running.until(rollout, "POST_PRODUCTION_TRAFFIC_SHIFT")
        await heard(seen, "500 flaky", 10)
    blue, green = await running.rollouts.measured(spec, rollout, 60)
    assert blue is not None
    assert green is not None
    assert blue.error_rate == 0
    assert green.error_rate == pytest.approx(0.5, abs=0.1)
    assert blue.p95_ms is not None
    await running.rollouts.go_back(rollout)
    await running.over(rollout)


async def test_target_groups_that_aws_has_not_resolved_yet_are_asked_for_again(
    running: Berth, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([(None, None), (None, "targetgroup/green/1"), (None, "targetgroup/other/2")])

    async def target_groups(clients: AwsClients, rollout: str) -> tuple[str | None, str | None]:
        return next(told)

    monkeypatch.setattr(deployments, "target_groups_of", target_groups)
    for _ in range(3):
        await running.rollouts.measured(running.spec("serve one"), "a rollout", 60)
    assert [group for _, group in told] == ["targetgroup/other/2"]


async def test_what_is_missing_is_named(harbour: Berth) -> None:
    spec = replace(harbour.spec("serve one"), place={"cluster": "c"})
    with pytest.raises(Permanent, match="ecs_setting_missing") as refused:
        await harbour.rollouts.prepare(spec)
    assert "listener_rule" in refused.value.facts["names"]
    nowhere = harbour.spec("serve one")
    nowhere = replace(nowhere, place={**nowhere.place, "cluster": "nowhere"})
    with pytest.raises(Permanent, match="cluster_missing"):
        await harbour.rollouts.prepare(nowhere)


async def test_an_update_takes_few_calls(running: Berth) -> None:
    before = sum(running.clients.calls.values())
    spec = running.spec("serve two")
    prepared = await running.rollouts.prepare(spec)
    rollout = await running.rollouts.begin(spec, prepared)
    assert isinstance(prepared, Prepared)
    assert sum(running.clients.calls.values()) - before <= 14
    await running.over(rollout)


async def test_an_endless_fault_is_passing_and_leaves_nothing_half_begun(running: Berth) -> None:
    spec = running.spec("serve two")
    prepared = await running.rollouts.prepare(spec)
    running.emulator.goes_wrong({"kind": "fault", "operation": "UpdateService", "times": 100})
    with pytest.raises(Transient, match="aws_unavailable"):
        await running.rollouts.begin(spec, prepared)
    running.emulator.goes_wrong()
    assert (await running.over(await running.rollouts.begin(spec, prepared))).status is RolloutStatus.DONE


async def raise_alarm(clients: AwsClients, name: str, state: str) -> None:
    """Make an alarm that is in this state."""
    await clients.call(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName=name,
        MetricName="HTTPCode_Target_5XX_Count",
        Namespace="AWS/ApplicationELB",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    await clients.call("cloudwatch", "SetAlarmState", AlarmName=name, StateValue=state, StateReason="test")
