"""What a service stands on is planned, made, found again and deleted, once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
from aiobotocore.session import AioSession
from botocore.retries import standard

from aws.clients import AwsAccess, AwsClients, Keys
from aws.place import place_of
from aws.provision.building import build_role
from aws.provision.network import Vpc
from aws.provision.site import Site
from bot import messages
from bot.errors import Permanent
from bot.ports.ground import PartAction
from tests.aws.emulator.account import ACCOUNT, REGION
from tests.aws.emulator.handle import Emulator
from tests.aws.ground.ground import ONE_OF_EACH, QUICK, Died, Dying, Ground
from tests.aws.guard import Guard
from tests.aws.network import lay_out

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATE, CHANGE, KEEP, ADOPT, DELETE = PartAction
PARTS = 18
SENT_ON = Counter(Listeners=1)
"""What there is more of with a certificate."""


@pytest.fixture(scope="module")
def account(emulator_process: Emulator) -> Iterator[Emulator]:
    """The emulator, asked by clients that try again at once; what the tests before left in it is over."""
    emulator_process.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standard.ExponentialBackoff, "delay_amount", lambda self, context: 0.01)
        yield emulator_process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(account: Emulator) -> AsyncIterator[tuple[AwsClients, Guard]]:
    """Clients for all tests here: to open those of EC2 takes longer than to make a network."""

    async def keys() -> Keys:
        return Keys("AKIAEXAMPLE", "secret")

    guard = Guard()
    clients = AwsClients(AwsAccess(REGION, account.url, keys), session=guard.watch(AioSession()))
    yield clients, guard
    await clients.close()


@pytest.fixture
def ours(shared: tuple[AwsClients, Guard], emulator: Emulator) -> Iterator[AwsClients]:
    """Those clients, with nothing counted yet; AWS itself would have taken each request."""
    clients, guard = shared
    clients.calls.clear()
    guard.wrong.clear()
    yield clients
    assert guard.wrong == []


async def test_a_plan_of_nothing_makes_everything_and_changes_nothing(ours: AwsClients) -> None:
    ground = Ground(ours)
    steps = await ground.places.planned(ground.spec())
    assert [step.action for step in steps] == [CREATE] * PARTS
    assert not [name for name in ours.calls if not name.partition(".")[2].startswith(("Describe", "Get", "List"))]
    assert await ground.there() == Counter()


async def test_what_was_made_is_all_there_tagged_and_there_is_nothing_more_to_do(ours: AwsClients) -> None:
    ground = Ground(ours)
    assert await ground.places.planned(ground.spec())
    await ground.provide()
    assert sum(ours.calls.values()) <= 60
    assert [step.action for step in ground.told] == [CREATE] * PARTS
    assert all(step.id for step in ground.told)
    assert await ground.there() == ONE_OF_EACH
    assert set((await ground.looks()).values()) == {KEEP}
    assert await ground.another().places.planned(ground.spec()) == ()
    again = ground.another()
    await again.provide()
    assert again.told == []


async def test_only_the_load_balancer_reaches_the_tasks(ours: AwsClients) -> None:
    ground = Ground(ours, test_from=["192.0.2.0/24"])
    await ground.provide()
    (tasks,) = (await ground.places(ground.spec())).security_groups
    front = next(step.id for step in ground.told if step.part == "balancer-group")
    known = await ours.call("ec2", "DescribeSecurityGroups", GroupIds=[tasks, front])
    open_at = {one["GroupId"]: one["IpPermissions"] for one in known["SecurityGroups"]}
    assert [one["GroupId"] for rule in open_at[tasks] for one in rule["UserIdGroupPairs"]] == [front]
    assert not [one for rule in open_at[tasks] for one in rule["IpRanges"]]
    doors = {(rule["FromPort"], one["CidrIp"]) for rule in open_at[front] for one in rule["IpRanges"]}
    assert doors == {(8080, "0.0.0.0/0"), (8081, "192.0.2.0/24")}


BY_HAND: Mapping[str, dict[str, Any]] = {
    "every protocol": {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    "the newer addresses": {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    },
    "another protocol": {
        "IpProtocol": "udp",
        "FromPort": 0,
        "ToPort": 65535,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    },
}


@pytest.mark.parametrize("opened", BY_HAND.values(), ids=BY_HAND)
async def test_what_somebody_opened_by_hand_is_closed_again(ours: AwsClients, opened: dict[str, Any]) -> None:
    ground = Ground(ours)
    await ground.provide()
    (tasks,) = (await ground.places(ground.spec())).security_groups
    before = await open_at(ours, tasks)
    await ours.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=tasks, IpPermissions=[opened])
    assert (await ground.looks())["task-group"] is CHANGE
    await ground.provide()
    assert await open_at(ours, tasks) == before
    assert (await ground.looks())["task-group"] is KEEP


async def open_at(clients: AwsClients, group: str) -> list[dict[str, Any]]:
    """What a security group lets in."""
    reply = await clients.call("ec2", "DescribeSecurityGroups", GroupIds=[group])
    found: list[dict[str, Any]] = reply["SecurityGroups"][0]["IpPermissions"]
    return found


async def test_roles_are_taken_on_for_this_account_alone_where_the_service_says_for_whom(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    builds = await build_role(ours, ground.owner, "acme/api", "acme-api", QUICK)
    made = {step.part: step.id for step in ground.told if step.kind == "role"} | {"build-role": builds}
    here = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert {part: (await trust_of(ours, arn)).get("Condition") for part, arn in made.items()} == {
        "execution-role": here,
        "infrastructure-role": None,
        "build-role": here,
    }


async def test_a_role_that_others_work_could_be_done_under_is_closed_to_them(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    role = next(step.id for step in ground.told if step.part == "execution-role")
    loose = {name: part for name, part in (await trust_of(ours, role)).items() if name != "Condition"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [loose]})
    name = role.rpartition("/")[2]
    await ours.call("iam", "UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=document)
    again = ground.another()
    await again.provide()
    assert [(step.part, step.changes) for step in again.told] == [("execution-role", "trust")]
    assert (await trust_of(ours, role))["Condition"]


async def test_roles_may_do_no_more_than_their_boundary_says_once_there_is_one(ours: AwsClients) -> None:
    logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [logs]})
    names = [f"atmost-{number}-{uuid.uuid4().hex[:8]}" for number in range(2)]
    first, second = [
        str((await ours.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=document))["Policy"]["Arn"])
        for name in names
    ]
    ground = Ground(ours, permissions_boundary=first)
    await ground.provide()
    images = (ground.owner, f"acme/{ground.service}", "acme-api", QUICK)
    roles = [step.id for step in ground.told if step.kind == "role"] + [await build_role(ours, *images, first)]
    assert [await boundary_of(ours, role) for role in roles] == [first] * 3
    later = ground.another(permissions_boundary=second)
    await later.provide()
    assert [step.changes for step in later.told] == ["permissions boundary"] * 2
    await build_role(ours, *images, second)
    assert [await boundary_of(ours, role) for role in roles] == [second] * 3
    without = Ground(ours, ground.service)
    assert set((await without.looks()).values()) == {KEEP}
    await without.remove()
    assert await without.there() == Counter()


async def boundary_of(clients: AwsClients, role: str) -> str:
    """What a role may do at most."""
    known = (await clients.call("iam", "GetRole", RoleName=role.rpartition("/")[2]))["Role"]
    return str(known["PermissionsBoundary"]["PermissionsBoundaryArn"])


async def trust_of(clients: AwsClients, role: str) -> dict[str, Any]:
    """The one statement that says who takes a role on."""
    known = (await clients.call("iam", "GetRole", RoleName=role.rpartition("/")[2]))["Role"]
    (statement,) = known["AssumeRolePolicyDocument"]["Statement"]
    return dict(statement)


async def test_an_update_asks_whether_all_that_was_noted_is_there_and_then_knows_it(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    later = ground.another()
    ours.calls.clear()
    assert await later.places.planned(later.spec()) == ()
    place = await later.places(later.spec())
    assert (sum(ours.calls.values()), ours.calls["ecs.DescribeClusters"]) == (9, 1)
    assert place == await ground.places(ground.spec())
    assert len(place.subnets) == 2
    assert place.public_ip


async def test_whatever_somebody_deleted_is_noticed_by_a_process_that_just_used_it(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    made = {step.part: step.id for step in ground.told}
    role = made["execution-role"].rpartition("/")[2]
    managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    deletions: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
        "route": (("ec2", "DeleteRoute", {"RouteTableId": made["route"], "DestinationCidrBlock": "0.0.0.0/0"}),),
        "log-group": (("logs", "DeleteLogGroup", {"logGroupName": made["log-group"]}),),
        "execution-role": (
            ("iam", "DetachRolePolicy", {"RoleName": role, "PolicyArn": managed}),
            ("iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": "shipmate"}),
            ("iam", "DeleteRole", {"RoleName": role}),
        ),
        "test-rule": (("elbv2", "DeleteRule", {"RuleArn": made["test-rule"]}),),
        "listener": (("elbv2", "DeleteListener", {"ListenerArn": made["listener"]}),),
    }
    for part, calls in deletions.items():
        assert await ground.places.planned(ground.spec()) == ()
        for service, operation, asked_for in calls:
            await ours.call(service, operation, **asked_for)
        missing = {step.part for step in await ground.places.planned(ground.spec()) if step.action is CREATE}
        assert missing == {part, *(("rule",) if part == "listener" else ())}
        await ground.provide()
    assert await ground.there() == ONE_OF_EACH


async def test_without_leave_to_make_it_what_is_gone_is_named_before_anything_else(ours: AwsClients) -> None:
    made = Ground(ours)
    await made.provide()
    steps = {step.part: step.id for step in made.told}
    await ours.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=steps["balancer"])
    for group in ("blue", "green"):
        await ours.call("elbv2", "DeleteTargetGroup", TargetGroupArn=steps[group])
    stuck = made.another(provision=False)
    with pytest.raises(Permanent) as refused:
        await stuck.places.planned(stuck.spec())
    assert refused.value.facts["names"] == [
        *("balancer", "target-group blue", "target-group green"),
        *("listener", "rule", "test-listener", "test-rule"),
    ]
    assert "lacks `balancer`, `target-group blue`" in messages.failure("en", refused.value.code, refused.value.facts)


async def test_what_may_not_be_asked_counts_as_there(ours: AwsClients, emulator: Emulator) -> None:
    ground = Ground(ours, provision=False)
    await ground.provide()
    emulator.goes_wrong({"kind": "deny", "operation": "GetRole", "times": 9})
    assert await ground.places.planned(ground.spec()) == ()
    assert emulator.fired()[0] > 0
    emulator.goes_wrong()


@pytest.mark.parametrize("kind", ["cut", "reset", "throttle", "fault"])
async def test_what_goes_wrong_at_every_operation_makes_nothing_twice(
    ours: AwsClients, emulator: Emulator, operations: list[str], kind: str
) -> None:
    """At its first call and at its third, which is the first one for another part."""
    storm = [{"kind": kind, "operation": name, "skip": skip} for name in operations for skip in (0, 1)]
    ground = Ground(ours)
    emulator.goes_wrong(*storm)
    await ground.provide()
    fired = sum(emulator.fired())
    emulator.goes_wrong()
    assert fired > 30
    assert await ground.there() == ONE_OF_EACH
    emulator.goes_wrong(*storm)
    await ground.remove()
    emulator.goes_wrong()
    assert await ground.there() == Counter()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operations(shared: tuple[AwsClients, Guard]) -> list[str]:
    """Every operation that it takes to make all and to delete it again."""
    clients, _ = shared
    clients.calls.clear()
    ground = Ground(clients)
    await ground.provide()
    await ground.remove()
    return [name.partition(".")[2] for name in clients.calls]


async def test_processes_that_die_after_each_change_make_one_of_each(ours: AwsClients) -> None:
    """Each makes one change and is gone; the next goes on."""
    ground, lived = Ground(ours), list[bool]()
    while not any(lived[-1:]) and len(lived) < 100:
        lived.append(await outlives(ground.another(cast(AwsClients, Dying(ours, after=1))).provide()))
    assert 25 < len(lived) < 60
    assert await ground.there() == ONE_OF_EACH
    assert set((await ground.looks()).values()) == {KEEP}


async def outlives(work: Awaitable[None]) -> bool:
    """Whether the process lived to the end of it."""
    try:
        await work
    except Died:
        return False
    return True


async def test_two_at_once_make_one_of_each(ours: AwsClients) -> None:
    first = Ground(ours)
    await asyncio.gather(first.provide(), first.another().provide(), first.another().provide())
    assert await first.there() == ONE_OF_EACH
    assert set((await first.looks()).values()) == {KEEP}


async def test_a_network_that_was_made_twice_loses_the_younger_one(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    site = Site(ours, ground.wish)
    await Vpc().make(site)
    assert (await ground.looks())["vpc"] is CHANGE
    older = (await ground.places(ground.spec())).subnets
    again = ground.another()
    await again.provide()
    assert [step.part for step in again.told] == ["vpc"]
    assert await ground.there() == ONE_OF_EACH
    assert (await again.places(again.spec())).subnets == older


async def test_what_is_given_is_taken_and_neither_changed_nor_deleted(ours: AwsClients) -> None:
    network = await lay_out(ours)
    given = {key: network.place()[key] for key in ("cluster", "subnets", "security_groups", "execution_role")}
    ground = Ground(ours, **given)
    looks = await ground.looks()
    assert {part for part, action in looks.items() if action is ADOPT} == {
        *("cluster", "execution-role", "subnets", "task-group", "vpc"),
    }
    await ground.provide()
    place = await ground.places(ground.spec())
    assert (place.cluster, list(place.subnets)) == (network.cluster, list(network.subnets))
    assert not place.public_ip
    await ground.remove()
    assert {step.action for step in ground.told} == {CREATE, DELETE}
    assert await ground.there() == Counter()
    known = await ours.call("ec2", "DescribeSubnets", SubnetIds=list(network.subnets))
    assert len(known["Subnets"]) == 2
    clusters = await ours.call("ecs", "DescribeClusters", clusters=[network.cluster])
    assert clusters["clusters"][0]["status"] == "ACTIVE"


async def test_all_of_it_given_needs_nothing_made(ours: AwsClients) -> None:
    network = await lay_out(ours)
    ground = Ground(ours, **network.place(), provision=False)
    ours.calls.clear()
    assert await ground.places.planned(ground.spec()) == ()
    assert await ground.places(ground.spec()) == place_of(ground.spec().place)
    assert ours.calls == Counter()


async def test_half_a_load_balancer_is_refused_with_what_is_missing(ours: AwsClients) -> None:
    ground = Ground(ours, target_group="arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/1")
    with pytest.raises(Permanent) as refused:
        await ground.provide()
    assert refused.value.code == "ecs_setting_missing"
    assert refused.value.facts["names"] == [
        *("listener_rule", "alternate_target_group", "subnets", "security_groups"),
    ]


async def test_what_somebody_else_made_under_our_name_is_left_alone(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ours.call("logs", "CreateLogGroup", logGroupName=f"/shipmate/{ground.wish.stem}")
    with pytest.raises(Permanent) as refused:
        await ground.provide()
    assert "there is a log group `/shipmate/" in messages.failure("en", refused.value.code, refused.value.facts)
    with pytest.raises(Permanent):
        await ground.remove()


async def test_what_is_asked_otherwise_later_is_changed(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    certificate = (await ours.call("acm", "RequestCertificate", DomainName="api.example.com"))["CertificateArn"]
    later = ground.another(certificate=certificate, port=8443, redirect_port=8080, test_from=["192.0.2.0/24"])
    steps = {step.part: step for step in await later.places.planned(later.spec(health="/alive"))}
    changes = {part: step.changes for part, step in steps.items() if step.action is CHANGE}
    assert changes.keys() == {"balancer-group", "blue", "green", "listener", "test-listener"}
    assert changes["blue"] == "health /alive"
    assert changes["listener"] == "HTTPS:8443"
    assert "-0.0.0.0/0:8081" in changes["balancer-group"]
    await later.provide(health="/alive")
    assert set((await later.looks(health="/alive")).values()) == {KEEP}
    assert await ground.there() == ONE_OF_EACH + SENT_ON


async def test_who_comes_without_https_is_sent_on_to_it_for_as_long_as_there_is_a_certificate(ours: AwsClients) -> None:
    certificate = (await ours.call("acm", "RequestCertificate", DomainName="api.example.com"))["CertificateArn"]
    secure = Ground(ours, certificate=certificate, port=8443, redirect_port=8080)
    await secure.provide()
    assert await secure.there() == ONE_OF_EACH + SENT_ON
    assert await asked(ours, secure, 8080, "/at?a=b") == (301, "https://{host}:8443/at?a=b")
    elsewhere = secure.another(port=8080, redirect_port=8082)
    await elsewhere.provide()
    assert await asked(ours, elsewhere, 8082, "/") == (301, "https://{host}:8080/")
    plain = Ground(ours, secure.service, port=8082)
    assert (await plain.looks())["listener"] is CHANGE
    await plain.provide()
    assert await asked(ours, plain, 8082, "/") == (503, "")
    assert set((await plain.looks()).values()) == {KEEP}
    assert await plain.there() == ONE_OF_EACH


async def test_a_load_balancer_from_before_it_sent_people_on_still_takes_deployments(ours: AwsClients) -> None:
    certificate = (await ours.call("acm", "RequestCertificate", DomainName="api.example.com"))["CertificateArn"]
    before = Ground(ours, certificate=certificate, port=8443, redirect_port=8081)
    await before.provide()
    now = before.another(redirect_port=8080, provision=False)
    assert await now.places.planned(now.spec()) == ()
    assert (await now.places(now.spec())).listener_rule == (await before.places(before.spec())).listener_rule
    assert {step.part: step.action for step in await now.places.looked_at(now.spec())}["redirect"] is CREATE


async def asked(clients: AwsClients, ground: Ground, port: int, path: str) -> tuple[int, str]:
    """How the load balancer answers there, and where it sends whoever asks."""
    known = (await clients.call("elbv2", "DescribeLoadBalancers", Names=[ground.wish.stem]))["LoadBalancers"]
    host = str(known[0]["DNSName"])
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}{path}", allow_redirects=False) as reply,
    ):
        return reply.status, reply.headers.get("Location", "").replace(host, "{host}")


async def test_without_blue_green_there_is_one_target_group_and_no_test_listener(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide(strategy="rolling")
    assert await ground.there() == ONE_OF_EACH - Counter(TargetGroups=1, Listeners=1, Rules=1)
    place = await ground.places(ground.spec(strategy="rolling"))
    assert (place.alternate_target_group, place.infrastructure_role) == (None, None)
    assert (await ground.looks())["green"] is CREATE


async def test_deleting_half_of_it_and_deleting_twice_leaves_nothing(ours: AwsClients) -> None:
    ground = Ground(ours)
    assert not await outlives(ground.another(cast(AwsClients, Dying(ours, after=18))).provide())
    doomed = await ground.places.doomed(ground.spec(), None)
    assert doomed
    assert {step.action for step in doomed} == {DELETE}
    assert not await outlives(ground.another(cast(AwsClients, Dying(ours, after=4))).remove())
    await ground.remove()
    assert await ground.there() == Counter()
    again = ground.another()
    await again.remove()
    assert again.told == []


async def test_what_the_settings_name_themselves_stands_in_the_way_of_deleting(ours: AwsClients) -> None:
    ground = Ground(ours)
    await ground.provide()
    subnets = list((await ground.places(ground.spec())).subnets)
    pinned = ground.another(subnets=subnets)
    with pytest.raises(Permanent) as refused:
        await pinned.remove()
    assert refused.value.code == "aws_still_stated"
    assert refused.value.facts["names"] == subnets
    assert await ground.there() == ONE_OF_EACH


async def test_images_and_secrets_go_only_when_they_are_named(ours: AwsClients) -> None:
    ground = Ground(ours)
    repository = f"acme-{ground.service[9:17]}"
    mine = [{"Key": "shipmate:owner", "Value": ground.owner}]
    await ours.call("ecr", "CreateRepository", repositoryName=repository, tags=mine)
    secret = f"shipmate/{ground.service}/DATABASE_URL"
    for name in (secret, f"shipmate/{ground.service}-other/DATABASE_URL"):
        await ours.call("secretsmanager", "CreateSecret", Name=name, SecretString="x", Tags=mine)
    role = await build_role(ours, ground.owner, "acme/api", repository, QUICK)
    assert await build_role(ours, ground.owner, "acme/api", repository, QUICK) == role
    await ground.remove()
    assert ground.told == []
    await ground.remove(repository)
    assert [step.part for step in ground.told] == ["build-role", "images", "secrets"]
    assert ground.told[0].id == role
    left = await ours.call("secretsmanager", "ListSecrets", Filters=[{"Key": "name", "Values": ["shipmate/"]}])
    assert secret not in {one["Name"] for one in left["SecretList"]}
    assert f"shipmate/{ground.service}-other/DATABASE_URL" in {one["Name"] for one in left["SecretList"]}
