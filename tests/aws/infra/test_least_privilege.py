"""The published policies are enough for all that Shipmate does, hold nothing more, and what is missing is named."""

from __future__ import annotations

import ast
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiobotocore.session import AioSession
from botocore.model import Shape

from aws.checkup import look_at
from aws.clients import AwsAccess, AwsClients
from aws.codebuild import CodeBuild
from aws.credentials import Role, account_of, assumed, sealed_keys
from aws.ecr import EcrRegistry
from aws.errors import missing_action
from aws.follow import FollowedRollouts
from aws.rollouts import EcsRollouts
from bot import messages
from bot.errors import Permanent
from bot.ports.rollouts import RolloutSpec, RolloutStatus
from tests.aws.builds.test_codebuild import QUICK as QUICK_BUILDS
from tests.aws.builds.test_codebuild import Told, Yard, spec, yard  # noqa: F401 (a fixture)
from tests.aws.builds.test_ecr import IMAGE, Pushes
from tests.aws.conftest import REGION
from tests.aws.emulator.demands import PERMITTED, RESOURCES, action_of
from tests.aws.emulator.handle import Emulator
from tests.aws.ground.ground import Ground
from tests.aws.guard import Guard
from tests.aws.harbour import Harbour
from tests.aws.infra.template import INFRA, POLICIES, policies, published, several
from tests.aws.infra.tenant import OWNER, Tenant, allowing, moved_in, without
from tests.aws.network import Network
from tests.aws.rollouts.slipway import LOOKOUT
from tests.aws.rollouts.test_follow import Team, team  # noqa: F401 (a fixture)
from tests.aws.rollouts.test_rollouts import QUICK, Berth

ROLE = "arn:aws:iam::123456789012:role/shipmate-tests"
PARTS = [path.stem for path in POLICIES]
SPOKEN_BY_THE_REGISTRY = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
}
"""The Docker engine asks for these when it pushes: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"""
DONE_BY_AWS = {"iam:CreateServiceLinkedRole"}
"""ECS and the load balancer ask for it at the first cluster and balancer of an account, in our name."""
BESIDE = {
    "ec2:CreateTags",
    "ecr:TagResource",
    "ecs:TagResource",
    "elasticloadbalancing:AddTags",
    "events:TagResource",
    "iam:PassRole",
    "iam:TagRole",
    "logs:TagResource",
    "secretsmanager:TagResource",
    "sts:TagSession",
}
"""What a call needs beside its own action: it makes something with tags, or hands a role on."""
OF_THE_TEMPLATE = ("dynamodb:", "sqs:")
"""Tables and queues are those of the template, whose roles may use them; no published policy is about them."""
DONE_BY_LAMBDA = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}


@pytest.fixture
async def tenant(clients: AwsClients, guard: Guard) -> AsyncIterator[Tenant]:
    """A user who may do nothing yet."""
    tenant = await moved_in(clients, guard.watch(AioSession()))
    yield tenant
    await tenant.own.close()


# --- enough ---------------------------------------------------------------------------------------------------------


async def test_with_its_policy_an_image_gets_into_a_repository_that_is_made_for_it(tenant: Tenant) -> None:
    await tenant.may(allowing("ecr"))
    name = f"acme-{uuid.uuid4().hex[:8]}"
    pushed = await EcrRegistry(tenant.own, Pushes(), OWNER).push(IMAGE, name, "main-1", print)
    assert pushed.uri.endswith(f"{name}@{IMAGE.id}")


async def test_a_repository_of_somebody_else_is_adopted_and_its_expiry_left_alone(tenant: Tenant) -> None:
    await tenant.may(allowing("ecr"))
    name = f"acme-{uuid.uuid4().hex[:8]}"
    await tenant.root.call("ecr", "CreateRepository", repositoryName=name)
    pushed = await EcrRegistry(tenant.own, Pushes(), OWNER).push(IMAGE, name, "main-1", print)
    assert pushed.pushed


async def test_with_its_policy_a_service_is_made_changed_rolled_back_and_removed(
    tenant: Tenant, emulator: Emulator, network: Network
) -> None:
    await tenant.may(allowing("ecs"))
    berth = _berth(tenant, emulator, network)
    await tenant.root.call("cloudwatch", "PutMetricAlarm", **_alarm(network.name))
    await tenant.root.call("logs", "CreateLogGroup", logGroupName=network.name)
    first = _asked(berth, "serve one")
    assert (await berth.ship(first)).status is RolloutStatus.DONE
    one = (await berth.rollouts.prepare(first)).revision
    second = _asked(berth, "serve two", strategy="canary", percent=30.0, every_s=60)
    prepared = await berth.rollouts.prepare(second)
    assert await berth.rollouts.run_once(second, prepared.revision, "echo released", print) == 0
    rollout = await berth.rollouts.begin(second, prepared)
    assert (await berth.over(rollout)).status is RolloutStatus.DONE
    await berth.rollouts.measured(second, rollout, 60)
    assert (await berth.ship(_asked(berth, "serve one", revision=one))).status is RolloutStatus.DONE
    failed = _asked(berth, "exit 3")
    rollout = await berth.rollouts.begin(failed, await berth.rollouts.prepare(failed))
    await berth.rollouts.go_back(rollout)
    assert (await berth.over(rollout)).status is RolloutStatus.UNDONE
    await berth.rollouts.output(failed, rollout, 10)
    await berth.rollouts.forget(first)
    assert await berth.services() == 0


async def test_a_service_that_does_not_bear_our_tag_is_not_changed(
    tenant: Tenant, emulator: Emulator, network: Network
) -> None:
    theirs = Berth(tenant.root, emulator, network, EcsRollouts(tenant.root, "somebody", pace=QUICK, first_pause_s=0.02))
    await theirs.ship(replace(theirs.spec("serve theirs"), strategy="all"))
    await tenant.may(allowing("ecs"))
    ours = _berth(tenant, emulator, network)
    with pytest.raises(Permanent) as denied:
        await ours.ship(_plain(ours, "serve ours"))
    assert (denied.value.code, denied.value.facts["action"]) == ("aws_denied", "ecs:UpdateService")
    assert await theirs.answers() == "200 theirs"


async def test_a_role_that_is_not_for_shipmate_is_not_handed_on(
    tenant: Tenant, emulator: Emulator, network: Network
) -> None:
    await tenant.may(allowing("ecs"))
    berth = _berth(tenant, emulator, network)
    place = {**network.place(), "execution_role": "arn:aws:iam::123456789012:role/admin"}
    with pytest.raises(Permanent) as denied:
        await berth.ship(replace(berth.spec("serve one"), place=place))
    assert denied.value.facts["action"] == "iam:PassRole"


async def test_with_its_policy_an_image_is_built_on_codebuild(tenant: Tenant, yard: Yard) -> None:  # noqa: F811
    await tenant.may(allowing("codebuild"))

    async def ready(repository: str, log: Any) -> str:
        return f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}"

    codebuild = CodeBuild(tenant.own, OWNER, ready, pace=QUICK_BUILDS, first_pause_s=0.02)
    there = replace(yard, codebuild=codebuild)
    digest = "sha256:" + "ab" * 32
    order = there.order(spec(build=[f"export IMAGE_DIGEST={digest}"]), settings={"service_role": ROLE})
    assert (await there.uri(order, Told())).endswith(digest)


async def test_with_its_policy_a_state_machine_is_followed(tenant: Tenant, team: Team) -> None:  # noqa: F811
    await tenant.may(allowing("follow"))
    ours = replace(team, rollouts=FollowedRollouts(tenant.own, OWNER, LOOKOUT))
    version = await ours.spec("serve two", events_role=ROLE)
    assert (await ours.over(await ours.begin(version))).status is RolloutStatus.DONE
    await ours.rollouts.forget(version)


async def test_with_its_policies_ground_is_made_and_removed(tenant: Tenant) -> None:
    await tenant.may(allowing("network", "provision", "ecs", "ecr", "codebuild"))
    ground = Ground(tenant.own, owner=OWNER)
    await ground.provide()
    await ground.remove(images="acme-api")
    assert not await ground.another(tenant.root).there()


async def test_what_somebody_else_provided_is_not_removed(tenant: Tenant) -> None:
    theirs = Ground(tenant.root, owner="somebody")
    await theirs.provide()
    await tenant.may(allowing("network", "provision", "ecs"))
    with pytest.raises(Permanent, match="aws_denied"):
        await theirs.another(tenant.own).remove()
    assert (await theirs.there())["Vpcs"] == 1


async def test_with_its_policy_a_role_that_was_lent_is_assumed(tenant: Tenant) -> None:
    await tenant.may(allowing("connections"))
    lent = Role("arn:aws:iam::210987654321:role/shipmate-deployer", "acme-7", {"shipmate:repository": "acme/api"})
    access = replace(tenant.root.access, keys=assumed(lent, tenant.own))
    assert await account_of(access) == "210987654321"


async def test_no_other_role_is_assumed(tenant: Tenant) -> None:
    await tenant.may(allowing("connections"))
    lent = Role("arn:aws:iam::210987654321:role/admin", "acme-7")
    with pytest.raises(Permanent, match="aws_denied"):
        await assumed(lent, tenant.own)()


async def test_a_person_reads_which_action_is_missing_and_with_it_the_next_push_goes_live(
    tenant: Tenant, emulator: Emulator, network: Network, tmp_path: Path
) -> None:
    may = allowing("ecr", "ecs", owner="harbour")
    await tenant.may(without(may, "ecs:RegisterTaskDefinition"))
    async with Harbour(tmp_path, emulator, tenant.own, network) as harbour:
        await harbour.sail(ecs={"execution_role": ROLE, "infrastructure_role": ROLE})
        assert "`ecs:RegisterTaskDefinition` is missing from the policy" in str(harbour.check_run().summary)
        await tenant.may(may)
        await harbour.ship("two")
        assert await harbour.answers_people() == "200 two"


async def test_the_doctor_is_content_with_the_policies_and_names_what_is_taken_away(tenant: Tenant) -> None:
    may = allowing("ecr", "ecs")
    await tenant.may(may)
    assert (await look_at(tenant.own.access))[0]
    await tenant.may(without(without(may, "ecr:GetAuthorizationToken"), "ecs:DescribeServices"))
    well, sentence = await look_at(tenant.own.access)
    assert not well
    assert "`ecr:GetAuthorizationToken`, `ecs:DescribeServices`" in sentence


async def test_motos_own_iam_agrees(no_config_files: None, guard: Guard) -> None:
    """It looks at signatures and actions, at no resource, and at everybody at once: so in a process of its own."""
    with Emulator() as strict:
        access = AwsAccess(REGION, strict.url, sealed_keys("AKIAEXAMPLE", "secret"))
        root = AwsClients(access, session=AioSession())
        tenant = await moved_in(root, guard.watch(AioSession()))
        await tenant.may({"Effect": "Allow", "Action": one["Action"], "Resource": "*"} for one in allowing("ecr"))
        await _looks_at_everybody(strict)
        await EcrRegistry(tenant.own, Pushes(), OWNER).push(IMAGE, "acme-api", "main-1", print)
        with pytest.raises(Permanent, match="aws_credentials_invalid"):
            await root.call("sts", "GetCallerIdentity")
        await tenant.own.close()
        await root.close()


async def _looks_at_everybody(emulator: Emulator) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{emulator.url}/moto-api/reset-auth", data=b"0") as reply,
    ):
        assert reply.status == 200


def _berth(tenant: Tenant, emulator: Emulator, network: Network) -> Berth:
    rollouts = EcsRollouts(tenant.own, OWNER, pace=QUICK, first_pause_s=0.02)
    return Berth(tenant.root, emulator, network, rollouts)


def _asked(berth: Berth, does: str, **other: Any) -> RolloutSpec:
    """A version with a secret, an alarm and a log, under roles that may be handed on."""
    plain = _plain(berth, does)
    place = {**plain.place, "alarms": [berth.network.name], "log_group": berth.network.name}
    return replace(plain, place=place, secrets={"KEY": "value"}, **other)


def _plain(berth: Berth, does: str) -> RolloutSpec:
    """A version under roles that may be handed on."""
    place = {**berth.network.place(), "execution_role": ROLE, "infrastructure_role": ROLE}
    return replace(berth.spec(does), place=place, strategy="all")


def _alarm(name: str) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "MetricName": "errors",
        "Namespace": "tests",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


# --- nothing more ---------------------------------------------------------------------------------------------------


def test_every_call_is_allowed_and_nothing_is_that_nobody_calls() -> None:
    needed = {action for action in _called() if not action.startswith(OF_THE_TEMPLATE)} - {PERMITTED}
    written = {action for part in PARTS for action in _actions(part)}
    assert written == needed | BESIDE | SPOKEN_BY_THE_REGISTRY | DONE_BY_AWS


def test_the_roles_of_the_template_may_use_its_tables_and_queues_as_they_do() -> None:
    called = {action for action in _called() if action.startswith(OF_THE_TEMPLATE)}
    allowed = {action for _, one in policies() for action in several(one["Action"])}
    assert called <= allowed
    assert {action for action in allowed - called if action.startswith("dynamodb:")} == DONE_BY_LAMBDA


def test_the_emulated_iam_knows_what_each_call_is_about() -> None:
    known = {action_of(*action.split(":")) for action in RESOURCES}
    assert {action for action in _called() - known if not action.startswith(OF_THE_TEMPLATE)} == {PERMITTED}


def _called() -> set[str]:
    """The actions of every call in aws/."""
    return {missing_action(f"{service}.{operation}", "") for service, operation in _calls()}


def _calls() -> Iterator[tuple[str, str]]:
    """Service and operation."""
    for path in sorted((INFRA.parent / "aws").rglob("*.py")):
        yield from _calls_in(path)


def _calls_in(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        words = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
        if node.func.attr in {"call", "call_once", "once"} and len(words) == 2:
            yield str(words[0]), str(words[1])


def _actions(part: str) -> list[str]:
    return sorted({action for statement in published(part) for action in several(statement["Action"])})


# --- what is missing is named -----------------------------------------------------------------------------------------

OURS = [{"Key": "shipmate:owner", "Value": OWNER}]
OURS_IN_SMALL = [{"key": "shipmate:owner", "value": OWNER}]
NEEDING: Mapping[tuple[str, str], tuple[str, str, dict[str, Any]]] = {
    ("codebuild", "iam:PassRole"): (
        "codebuild",
        "CreateProject",
        {
            "name": "shipmate-x",
            "source": {"type": "NO_SOURCE"},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
            "serviceRole": ROLE,
            "tags": OURS_IN_SMALL,
        },
    ),
    ("connections", "sts:TagSession"): (
        "sts",
        "AssumeRole",
        {"RoleArn": ROLE, "RoleSessionName": "shipmate", "Tags": OURS},
    ),
    ("ecr", "ecr:TagResource"): ("ecr", "CreateRepository", {"repositoryName": "acme-x", "tags": OURS}),
    ("ecs", "ecs:TagResource"): (
        "ecs",
        "RegisterTaskDefinition",
        {"family": "x", "containerDefinitions": [], "tags": OURS_IN_SMALL},
    ),
    ("ecs", "iam:PassRole"): (
        "ecs",
        "RegisterTaskDefinition",
        {"family": "x", "containerDefinitions": [], "tags": OURS_IN_SMALL, "executionRoleArn": ROLE},
    ),
    ("ecs", "secretsmanager:TagResource"): ("secretsmanager", "CreateSecret", {"Name": "shipmate/x", "Tags": OURS}),
    ("follow", "events:TagResource"): (
        "events",
        "PutRule",
        {"Name": "shipmate-deployment-x", "ScheduleExpression": "rate(1 day)", "Tags": OURS},
    ),
    ("follow", "iam:PassRole"): (
        "events",
        "PutTargets",
        {"Rule": "shipmate-deployment-x", "Targets": [{"Id": "x", "Arn": "arn:aws:states:::x", "RoleArn": ROLE}]},
    ),
    ("network", "ec2:CreateTags"): (
        "ec2",
        "CreateVpc",
        {"CidrBlock": "10.0.0.0/24", "TagSpecifications": [{"ResourceType": "vpc", "Tags": OURS}]},
    ),
    ("network", "elasticloadbalancing:AddTags"): (
        "elbv2",
        "CreateTargetGroup",
        {"Name": "shipmate-x", "Tags": OURS},
    ),
    ("provision", "ecs:TagResource"): ("ecs", "CreateCluster", {"clusterName": "shipmate-x", "tags": OURS_IN_SMALL}),
    ("provision", "iam:TagRole"): (
        "iam",
        "CreateRole",
        {"Path": "/shipmate/", "RoleName": "shipmate-x", "AssumeRolePolicyDocument": "{}", "Tags": OURS},
    ),
    ("provision", "logs:TagResource"): (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "/shipmate/x", "tags": {"shipmate:owner": OWNER}},
    ),
}
"""A call that needs an action beside its own, by policy and action."""
CLIENTS = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}


@pytest.fixture
async def stranger(clients: AwsClients) -> AsyncIterator[Tenant]:
    """A user whose requests nobody looks at: what is refused need not be a good request."""
    tenant = await moved_in(clients, AioSession())
    yield tenant
    await tenant.own.close()


@pytest.mark.parametrize("part", PARTS)
async def test_each_action_that_is_missing_is_named(stranger: Tenant, part: str) -> None:
    asked = [action for action in _actions(part) if action not in SPOKEN_BY_THE_REGISTRY | DONE_BY_AWS]
    assert {action: await _named_without(stranger, part, action) for action in asked} == {one: one for one in asked}


async def _named_without(stranger: Tenant, part: str, action: str) -> str:
    """The action that the sentence names when that one is taken out of the part's policy."""
    await stranger.may(without(allowing(part), action) or allowing("ecr"))
    service, operation, given = NEEDING.get((part, action)) or await _least(stranger.own, action)
    with pytest.raises(Permanent, match="aws_denied") as denied:
        await stranger.own.call(service, operation, **given)
    for locale in ("en", "ko"):
        assert f"`{action}`" in messages.failure(locale, denied.value.code, denied.value.facts)
    return str(denied.value.facts["action"])


async def _least(clients: AwsClients, action: str) -> tuple[str, str, dict[str, Any]]:
    """The call of an action, with no more than AWS's model demands."""
    prefix, _, operation = action.partition(":")
    service = CLIENTS.get(prefix, prefix)
    model = (await clients.client(service)).meta.service_model.operation_model(operation)
    return service, operation, _filled(model.input_shape) if model.input_shape else {}


def _filled(shape: Shape) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _filled(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_filled(shape.member)]
        case "map":
            return {}
        case "boolean":
            return True
        case "integer" | "long" | "float" | "double":
            return max(1, shape.metadata.get("min", 1))
        case "timestamp":
            return 0
    return (getattr(shape, "enum", None) or ["x" * max(1, shape.metadata.get("min", 1))])[0]
