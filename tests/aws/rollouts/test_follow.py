"""A deployment that a team's own state machine does is started by its image, read along, and never made up."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aws import triggers
from aws.clients import AwsClients
from aws.executions import Step, StepKind, steps
from aws.follow import FollowedRollouts, execution_in, image_parts
from aws.rollouts import EcsRollouts
from bot.errors import Permanent, Transient
from bot.ports.rollouts import RolloutSpec, RolloutStatus, RolloutView
from tests.aws.emulator.handle import Emulator
from tests.aws.network import Network
from tests.aws.rollouts.slipway import LOOKOUT, quick_definition
from tests.aws.rollouts.test_rollouts import QUICK, Berth
from tests.patience import ENOUGH_S

ROLE = "arn:aws:iam::123456789012:role/events"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@dataclass
class Team:
    """A team with a service that runs version one, and a state machine that deploys it."""

    clients: AwsClients
    emulator: Emulator
    harbour: Berth
    rollouts: FollowedRollouts
    machine: str
    repository: str
    first: RolloutSpec

    async def image(self, does: str) -> str:
        """An image in the registry, by digest, which behaves as told."""
        config = {"digest": f"sha256:{uuid.uuid4().hex * 2}", "size": 1}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": config, "layers": []})
        digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        await self.clients.call(
            "ecr",
            "PutImage",
            repositoryName=self.repository,
            imageManifest=manifest,
            imageTag=f"acme-api-main-{uuid.uuid4().hex[:6]}",
            imageDigest=digest,
        )
        uri = f"{HOST}/{self.repository}@{digest}"
        self.emulator.has_image(uri, does)
        return uri

    async def spec(self, does: str, **follow: Any) -> RolloutSpec:
        """A new job, which the state machine is to do."""
        settings = {
            "state_machine": self.machine,
            "events_role": ROLE,
            "cluster": self.harbour.network.cluster,
            "service": self.first.service,
            "url": self.harbour.network.url,
            **follow,
        }
        job_id = f"dep_{uuid.uuid4().hex[:10]}"
        return replace(self.first, job_id=job_id, image=await self.image(does), place={"follow": settings})

    async def begin(self, spec: RolloutSpec) -> str:
        return await self.rollouts.begin(spec, await self.rollouts.prepare(spec))

    async def over(self, execution: str) -> RolloutView:
        """Read along until the execution is over."""
        async with asyncio.timeout(ENOUGH_S):
            while True:
                view = await self.rollouts.look(execution)
                if view.status.is_over:
                    return view
                await asyncio.sleep(0.05)


@pytest.fixture
async def team(clients: AwsClients, emulator: Emulator, network: Network) -> Team:
    harbour = Berth(clients, emulator, network, EcsRollouts(clients, "tests", pace=QUICK, first_pause_s=0.02))
    first = replace(harbour.spec("serve one"), strategy="all")
    prepared = await harbour.rollouts.prepare(first)
    await harbour.over(await harbour.rollouts.begin(first, prepared, gated=False))
    repository = f"{network.name}/api"
    await clients.call("ecr", "CreateRepository", repositoryName=repository)
    made = await clients.call(
        "stepfunctions", "CreateStateMachine", name=network.name, definition=quick_definition(), roleArn=ROLE
    )
    rollouts = FollowedRollouts(clients, "tests", LOOKOUT)
    return Team(clients, emulator, harbour, rollouts, made["stateMachineArn"], repository, first)


async def test_the_images_arrival_starts_the_state_machine_and_its_tasks_are_told_in_order(team: Team) -> None:
    spec = await team.spec("serve two")
    execution = await team.begin(spec)
    view = await team.over(execution)
    assert (view.status, view.reason) == (RolloutStatus.DONE, "")
    told = [f"{step.name} {step.kind}" for step in view.happened]
    assert told[:4] == [
        "RememberExecution started",
        "RememberExecution succeeded",
        "EnsureInfra started",
        "EnsureInfra succeeded",
    ]
    assert "UpdateService succeeded" in told
    assert told[-1] == "BlueGreenDeployment succeeded"
    assert await team.harbour.answers() == "200 two"
    await team.rollouts.clear(spec.job_id)
    assert spec.job_id not in await triggers.armed(team.clients, "tests")


async def test_a_version_that_is_not_well_leaves_the_old_one_serving_and_says_so(team: Team) -> None:
    view = await team.over(await team.begin(await team.spec("exit 1")))
    assert view.status in {RolloutStatus.UNDONE, RolloutStatus.STUCK}
    assert "ROLLBACK" in view.reason
    assert await team.harbour.answers() == "200 one"


async def test_an_execution_that_fails_before_it_changes_anything_counts_as_undone(team: Team) -> None:
    spec = await team.spec("serve two")
    team.emulator.goes_wrong({"kind": "deny", "operation": "RegisterTaskDefinition", "times": 99})
    view = await team.over(await team.begin(spec))
    assert view.status is RolloutStatus.UNDONE
    failed = [step for step in view.happened if step.kind == "failed"]
    assert [step.name for step in failed] == ["RegisterTaskDefinitionWithoutRole"]
    assert failed[0].reason
    assert await team.rollouts.output(spec, await team.begin(spec), 10) != []


async def test_beginning_again_finds_the_execution_that_began(team: Team) -> None:
    spec = await team.spec("serve two")
    prepared = await team.rollouts.prepare(spec)
    first = await team.rollouts.begin(spec, prepared)
    assert await team.rollouts.begin(spec, prepared) == first
    await team.over(first)
    assert len(await executions(team)) == 1


@pytest.mark.parametrize("operation", ["PutRule", "PutTargets", "PutImage", "BatchGetImage", "GetSecretValue"])
@pytest.mark.parametrize("kind", ["throttle", "reset", "cut"])
async def test_a_lost_answer_never_starts_a_second_execution(team: Team, operation: str, kind: str) -> None:
    spec = await team.spec("serve two")
    prepared = await team.rollouts.prepare(spec)
    team.emulator.goes_wrong({"kind": kind, "operation": operation, "times": 1})
    execution = await _until_begun(team, spec)
    assert team.emulator.fired() == [1]
    assert await team.rollouts.begin(spec, prepared) == execution
    assert await executions(team) == [execution]


async def test_a_cancelled_execution_is_stopped_and_not_called_put_back_unless_it_is(team: Team) -> None:
    spec = await team.spec("serve two")
    before = (await team.rollouts.prepare(spec)).before
    execution = await team.begin(spec)
    await team.rollouts.go_back(execution)
    view = await team.over(execution)
    place = {"cluster": team.harbour.network.cluster, "services": [spec.service]}
    serving = (await team.clients.call("ecs", "DescribeServices", **place))["services"][0]["taskDefinition"]
    assert view.status in {RolloutStatus.UNDONE, RolloutStatus.STUCK}
    assert (view.status is RolloutStatus.UNDONE) == (serving == before)


async def test_an_execution_that_never_tells_its_name_is_not_waited_for(team: Team) -> None:
    made = await team.clients.call(
        "stepfunctions",
        "CreateStateMachine",
        name=f"{team.harbour.network.name}-mute",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn=ROLE,
    )
    rollouts = FollowedRollouts(team.clients, "tests", replace(LOOKOUT, for_s=0.3))
    spec = await team.spec("serve two", state_machine=made["stateMachineArn"])
    with pytest.raises(Permanent, match="execution_unknown"):
        await rollouts.begin(spec, await rollouts.prepare(spec))
    assert spec.job_id in await rollouts.leftovers()
    assert spec.job_id not in await FollowedRollouts(team.clients, "somebody else").leftovers()
    await rollouts.clear(spec.job_id)
    await rollouts.clear(spec.job_id)
    assert spec.job_id not in await rollouts.leftovers()


async def test_what_began_is_found_and_what_did_not_can_begin_no_more(team: Team) -> None:
    spec = await team.spec("serve two")
    prepared = await team.rollouts.prepare(spec)
    assert await team.rollouts.find(spec, prepared) is None
    execution = await team.rollouts.begin(spec, prepared)
    assert await team.rollouts.find(spec, prepared) == execution
    await team.over(execution)


async def test_what_there_was_is_put_back_by_an_execution_of_its_own(team: Team) -> None:
    spec = await team.spec("serve two")
    prepared = await team.rollouts.prepare(spec)
    first = await team.rollouts.begin(spec, prepared)
    await team.over(first)
    again = replace(spec, image=await team.image("serve one"))
    second = await team.rollouts.begin(again, replace(prepared, last_rollout=first))
    assert (await team.over(second)).status is RolloutStatus.DONE
    assert second != first
    assert await team.harbour.answers() == "200 one"
    await team.rollouts.clear(spec.job_id)


async def test_what_is_missing_is_named_before_anything_is_made(team: Team) -> None:
    spec = await team.spec("serve two")
    with pytest.raises(Permanent) as missing:
        await team.rollouts.prepare(replace(spec, place={"follow": {"cluster": "x"}}))
    assert missing.value.facts["names"] == ["follow.state_machine", "follow.events_role"]
    gone = {"state_machine": f"{team.machine}x", "events_role": ROLE}
    with pytest.raises(Permanent, match="state_machine_missing"):
        await team.rollouts.prepare(replace(spec, place={"follow": gone}))
    with pytest.raises(Permanent, match="release_command_followed"):
        await team.rollouts.run_once(spec, "", "./migrate", print)


def test_a_failure_names_the_state_it_happened_in() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    events = [
        {"id": 3, "timestamp": at, "type": "TaskFailed", "previousEventId": 2}
        | {"taskFailedEventDetails": {"error": "Ecs.ClientException", "cause": '{"errorMessage": "no such cluster"}'}},
        {"id": 1, "timestamp": at, "type": "ExecutionStarted", "previousEventId": 0},
        {"id": 2, "timestamp": at, "type": "TaskStateEntered", "previousEventId": 1}
        | {"stateEnteredEventDetails": {"name": "UpdateService"}},
    ]
    assert steps(events) == [
        Step(2, at, StepKind.STARTED, "UpdateService"),
        Step(3, at, StepKind.FAILED, "UpdateService", "Ecs.ClientException: no such cluster"),
    ]


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        ('{"ExecutionArn": "arn:aws:states:x:1:execution:m:1"}', "arn:aws:states:x:1:execution:m:1"),
        (" arn:aws:states:x:1:execution:m:1\n", "arn:aws:states:x:1:execution:m:1"),
        ('{"ExecutionArn": 7}', None),
        ("[1]", None),
        ("", None),
    ],
)
def test_the_executions_name_is_read_from_its_secret(secret: str, found: str | None) -> None:
    assert execution_in(secret) == found


def test_an_image_that_was_never_pushed_cannot_start_anything() -> None:
    assert image_parts(f"{HOST}/acme/api@sha256:1") == ("acme/api", "sha256:1")
    with pytest.raises(Permanent, match="image_not_in_registry"):
        image_parts("sha256:1")


async def executions(team: Team) -> list[str]:
    reply = await team.clients.call("stepfunctions", "ListExecutions", stateMachineArn=team.machine)
    return [one["executionArn"] for one in reply["executions"]]


async def _until_begun(team: Team, spec: RolloutSpec) -> str:
    """As a worker does: what may pass is tried again."""
    for _ in range(3):
        try:
            return await team.rollouts.begin(spec, await team.rollouts.prepare(spec))
        except Transient:
            continue
    raise AssertionError("it did not begin")
