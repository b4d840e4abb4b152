"""What our calls lead to at an emulator that others wrote: where it agrees with ours, neither was bent to us.

It has no service deployments and no weighted forwards, so blue/green is not tried here; rolling updates are.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from aws import revisions, secrets, services, tags, tasks, triggers
from aws.clients import AwsAccess, AwsClients, Keys
from aws.definition import task_definition
from aws.ecr import EcrRegistry, Login
from aws.errors import AwsRefusal
from aws.follow import FollowedRollouts, Lookout
from aws.place import Place, place_of
from bot import messages
from bot.errors import Permanent
from bot.ports.images import BuiltImage, LogSink, PushedImage
from bot.ports.rollouts import RolloutSpec, RolloutStatus
from tests.aws.ministack import KEY, Ministack, installed
from tests.aws.rollouts.slipway import quick_definition
from tests.aws.rollouts.test_follow import MEDIA_TYPE
from tests.engines.docker.conftest import BASE, base_image
from tests.patience import ENOUGH_S

__all__ = ["base_image"]

REGION, ACCOUNT = "us-east-1", "000000000000"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shipmate"
ROLES = {"Service": ["ecs-tasks.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"]}
IMAGE = BuiltImage("sha256:" + "1" * 64, "local:1")


@pytest.fixture(scope="module")
def ministack() -> Iterator[Ministack]:
    with Ministack(installed()) as ministack:
        yield ministack


def opened(ministack: Ministack, key: str, secret: str) -> AwsClients:
    """Clients that sign with these keys."""

    async def keys() -> Keys:
        return Keys(key, secret)

    return AwsClients(AwsAccess(REGION, ministack.url, keys))


@pytest.fixture
async def clients(ministack: Ministack, no_config_files: None, short_pauses: None) -> AsyncIterator[AwsClients]:
    """As the root user, with one role that everything may assume."""
    clients = opened(ministack, KEY, KEY)
    trust = {"Effect": "Allow", "Principal": ROLES, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    name = ROLE.rpartition("/")[2]
    with contextlib.suppress(AwsRefusal):  # the test before made it
        await clients.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=policy(trust))
    await clients.call("iam", "PutRolePolicy", RoleName=name, PolicyName="all", PolicyDocument=policy(everything))
    yield clients
    await clients.close()


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Sent:
    """Takes every image."""

    def __init__(self, login: Login) -> None:
        self._login = login

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """By the image's own id."""
        name = f"{self._login.host}/{repository}"
        return PushedImage(f"{name}@{image.id}", name, pushed=True)


async def test_a_repository_is_made_once_as_it_should_be_and_then_adopted(clients: AwsClients) -> None:
    name, told = fresh("acme"), list[str]()
    first = await EcrRegistry(clients, Sent, "here").push(IMAGE, name, "1", told.append)
    assert first.uri == f"{HOST}/{name}@{IMAGE.id}"
    clients.calls.clear()
    assert await EcrRegistry(clients, Sent, "here").push(IMAGE, name, "2", told.append) == first
    assert clients.calls["ecr.CreateRepository"] == clients.calls["ecr.PutLifecyclePolicy"] == 0
    (made,) = (await clients.call("ecr", "DescribeRepositories", repositoryNames=[name]))["repositories"]
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["imageTagMutability"] == "MUTABLE"


@dataclass
class Berth:
    """A cluster with a target group, and jobs whose versions are commands of one image."""

    clients: AwsClients
    place: Place

    def spec(self, command: str = "python -m http.server 8000", **other: Any) -> RolloutSpec:
        """A new job."""
        job = f"dep_{uuid.uuid4().hex[:10]}"
        return RolloutSpec(
            "api", "acme/api", "production", job, BASE, 8000, "/", command=command, strategy="rolling", **other
        )

    async def revision(self, spec: RolloutSpec) -> str:
        """Its task definition."""
        return await revisions.registered(
            self.clients, task_definition(spec, self.place, {}, REGION), tags.of_spec(spec, "here"), 0.01
        )

    async def deployments(self) -> dict[str, str]:
        """Task definition → how its deployment goes."""
        asked = {"cluster": self.place.cluster, "services": ["api"]}
        (service,) = (await self.clients.call("ecs", "DescribeServices", **asked))["services"]
        return {one["taskDefinition"]: one["rolloutState"] for one in service["deployments"]}


@pytest.fixture
async def berth(clients: AwsClients) -> Berth:
    vpc = (await clients.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    subnet = (await clients.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24"))["Subnet"]["SubnetId"]
    group = await clients.call("ec2", "CreateSecurityGroup", GroupName=fresh("g"), Description="tasks", VpcId=vpc)
    target = await clients.call(
        "elbv2", "CreateTargetGroup", Name=fresh("t"), Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="ip"
    )
    cluster = fresh("c")
    await clients.call("ecs", "CreateCluster", clusterName=cluster)
    given = {
        "cluster": cluster,
        "subnets": [subnet],
        "security_groups": [group["GroupId"]],
        "target_group": target["TargetGroups"][0]["TargetGroupArn"],
        "listener_rule": "",
        "execution_role": ROLE,
    }
    return Berth(clients, place_of(given))


async def test_a_job_registers_one_revision_however_often_it_asks(berth: Berth) -> None:
    spec = berth.spec()
    first = await berth.revision(spec)
    assert await berth.revision(spec) == first
    described = await revisions.described(berth.clients, first)
    assert described is not None
    assert described[1][tags.JOB] == spec.job_id
    assert await berth.revision(berth.spec()) != first


async def test_a_jobs_secret_is_put_once_and_referred_to_by_version(berth: Berth) -> None:
    spec = berth.spec(secrets={"TOKEN": "hunter2"})
    first = await secrets.references(berth.clients, spec, "here")
    assert await secrets.references(berth.clients, spec, "here") == first
    arn, version = first["TOKEN"].split(":::")
    kept = await berth.clients.call("secretsmanager", "GetSecretValue", SecretId=arn, VersionId=version)
    assert kept["SecretString"] == "hunter2"


@pytest.mark.docker
async def test_a_version_that_ends_is_taken_back_by_the_circuit_breaker_and_says_why(
    berth: Berth, base_image: None
) -> None:
    clients, place, good = berth.clients, berth.place, berth.spec()
    before = await berth.revision(good)
    await services.create(clients, good, place, before, tags.of_spec(good, "here"), gated=False)
    await until(berth, lambda seen: seen == {before: "COMPLETED"})
    bad = berth.spec("test -e /nowhere")
    after = await berth.revision(bad)
    await services.update(clients, bad, place, after, gated=False)
    await until(berth, lambda seen: seen.get(after) == "FAILED")
    service = await services.look(clients, place.cluster, "api")
    assert service is not None
    assert service.task_definition == before
    reasons, _ = await tasks.why_ended(clients, place.cluster, "api")
    assert "exit code 1" in reasons[0]
    await services.delete(clients, place.cluster, "api")
    assert await services.look(clients, place.cluster, "api") is None


async def until(berth: Berth, seen: Any) -> None:
    """Return once the service's deployments are so."""
    async with asyncio.timeout(ENOUGH_S):
        while not seen(await berth.deployments()):  # noqa: ASYNC110 - the emulator is another process
            await asyncio.sleep(0.2)


ASKED: dict[str, dict[str, Any]] = {
    "ecr.CreateRepository": {"repositoryName": "acme"},
    "ecr.GetAuthorizationToken": {},
    "ecs.DescribeServices": {"cluster": "c", "services": ["api"]},
    "ecs.RegisterTaskDefinition": {"family": "api", "containerDefinitions": []},
    "ecs.UpdateService": {"cluster": "c", "service": "api"},
    "ecs.StopServiceDeployment": {"serviceDeploymentArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-deployment/c/s/1"},
    "elbv2.DescribeListeners": {},
    "cloudwatch.GetMetricData": {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
    "secretsmanager.CreateSecret": {"Name": "s", "SecretString": "s"},
    "events.PutRule": {"Name": "r", "EventPattern": "{}"},
    "codebuild.BatchGetProjects": {"names": ["p"]},
}


async def test_an_action_that_a_policy_does_not_allow_is_named(clients: AwsClients, ministack: Ministack) -> None:
    name = fresh("user")
    await clients.call("iam", "CreateUser", UserName=name)
    key = (await clients.call("iam", "CreateAccessKey", UserName=name))["AccessKey"]
    theirs = opened(ministack, key["AccessKeyId"], key["SecretAccessKey"])
    for called, asked in ASKED.items():
        service, operation = called.split(".")
        with pytest.raises(Permanent, match="aws_denied") as refused:
            await theirs.call(service, operation, **asked)
        prefix = "elasticloadbalancing" if service == "elbv2" else service
        assert f"`{prefix}:{operation}` is missing" in messages.failure("en", refused.value.code, refused.value.facts)
    allowed = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    await clients.call("iam", "PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=policy(allowed))
    assert await theirs.call("ecr", "GetAuthorizationToken")
    await theirs.close()


async def test_keys_that_are_wrong_are_called_so(clients: AwsClients, ministack: Ministack) -> None:
    name = fresh("user")
    await clients.call("iam", "CreateUser", UserName=name)
    key = (await clients.call("iam", "CreateAccessKey", UserName=name))["AccessKey"]["AccessKeyId"]
    for known in (key, "AKIANOBODY0000000000"):
        theirs = opened(ministack, known, "wrong")
        with pytest.raises(Permanent, match="aws_credentials_invalid"):
            await theirs.call("ecs", "ListClusters")
        await theirs.close()


async def test_an_event_starts_the_published_state_machine_and_its_steps_are_read_along(berth: Berth) -> None:
    """Nobody but ECR may say that it is ECR: the rule is told to listen to us, its target stays as it was made."""
    clients, place, first = berth.clients, replace(berth.place, desired_count=0), berth.spec()
    revision = await berth.revision(first)
    await services.create(clients, first, place, revision, tags.of_spec(first, "here"), gated=False)
    made = await clients.call(
        "stepfunctions", "CreateStateMachine", name=fresh("machine"), definition=quick_definition(), roleArn=ROLE
    )
    repository, digest = await image_in(clients)
    follow = {
        "state_machine": made["stateMachineArn"],
        "events_role": ROLE,
        "cluster": place.cluster,
        "service": "api",
    }
    spec = replace(berth.spec(place={"follow": follow}), image=f"{HOST}/{repository}@{digest}")
    rollouts = FollowedRollouts(clients, "here", Lookout(for_s=10.0, rule_settles_s=0.0))
    beginning = asyncio.create_task(rollouts.begin(spec, await rollouts.prepare(spec)))
    await say_it_arrived(clients, spec.job_id, repository, digest)
    execution = await beginning
    steps = await steps_until(rollouts, execution, "UpdateService succeeded")
    assert steps[:4] == [
        "RememberExecution started",
        "RememberExecution succeeded",
        "EnsureInfra started",
        "EnsureInfra succeeded",
    ]
    service = await services.look(clients, place.cluster, "api")
    assert service is not None
    told = await clients.call("ecs", "DescribeTaskDefinition", taskDefinition=service.task_definition)
    assert told["taskDefinition"]["containerDefinitions"][0]["image"] == spec.image
    await rollouts.go_back(execution)
    assert (await rollouts.look(execution)).status is RolloutStatus.STUCK


async def image_in(clients: AwsClients) -> tuple[str, str]:
    """Repository and digest of an image."""
    repository = fresh("acme")
    await clients.call("ecr", "CreateRepository", repositoryName=repository)
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {}, "layers": []})
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    await clients.call("ecr", "PutImage", repositoryName=repository, imageManifest=manifest, imageTag="1")
    return repository, digest


async def say_it_arrived(clients: AwsClients, job_id: str, repository: str, digest: str) -> None:
    """Put the event that ECR would, once the job's rule is there."""
    name = triggers.PREFIX + job_id
    async with asyncio.timeout(ENOUGH_S):
        while job_id not in await triggers.armed(clients, "here"):  # noqa: ASYNC110 - nobody here could set an event
            await asyncio.sleep(0.05)
    rule = await clients.call("events", "DescribeRule", Name=name)
    ours = rule["EventPattern"].replace("aws.ecr", "test.ecr")
    await clients.call("events", "PutRule", Name=name, EventPattern=ours)
    image = {"repository-name": repository, "image-digest": digest, "image-tag": f"shipmate-{job_id}"}
    detail = json.dumps({"result": "SUCCESS", "action-type": "PUSH", **image})
    entry = {"Source": "test.ecr", "DetailType": "ECR Image Action", "Detail": detail}
    assert (await clients.call("events", "PutEvents", Entries=[entry]))["FailedEntryCount"] == 0


async def steps_until(rollouts: FollowedRollouts, execution: str, wanted: str) -> list[str]:
    """Read along until something has happened; all that did."""
    async with asyncio.timeout(ENOUGH_S):
        while True:
            view = await rollouts.look(execution)
            assert not view.status.is_over, view
            seen = [f"{step.name} {step.kind}" for step in view.happened]
            if wanted in seen:
                return seen
            await asyncio.sleep(0.1)
