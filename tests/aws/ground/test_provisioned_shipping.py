"""With `provision: true` a push ships to an account where nothing was prepared, and the next one adds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from aws.buildproject import ProjectSettings, project_name
from aws.clients import AwsClients
from aws.composition import EcsParts
from bot.composition.ground import Asked, open_ground
from bot.config import AwsSettings
from bot.masking import Masker
from bot.ports.engines import RolloutEngine
from bot.ports.ground import PartAction
from tests.aws.emulator.account import REGION
from tests.aws.emulator.handle import Emulator
from tests.aws.foundry import Foundry
from tests.aws.ground.ground import MOST_BALANCERS
from tests.aws.harbour import Harbour, afloat, new_folder
from tests.aws.network import CONTAINER_PORT, Network
from tests.aws.people import answer_of, people
from tests.mortal import Mortal

GATE = {"requests": 3, "p95_slack_ms": 10_000}
BARE = {"port": 8080, "test_port": 8081, "desired_count": 2}


class Island(Harbour):
    """A harbour where nothing was built. Each installation is another one, so that tests do not find each other's."""

    def _engine(self, clients: AwsClients, parts: EcsParts) -> RolloutEngine:
        made = super()._engine(clients, replace(parts, owner=self.folder.name))
        return replace(made, ground=Mortal(made.ground, self.life))

    async def settle_on(self, ecs: dict[str, Any], **settings: Any) -> None:
        """From now on production is on ECS and says this much of its place."""
        production = {"branch": "main", "target": "ecs", "port": CONTAINER_PORT, "checks": 2, "gate": GATE, "ecs": ecs}
        await self.push_files(
            {".shipmate.yml": yaml.safe_dump({"environments": {"production": production | settings}})}
        )
        await self.restart_when_it_dies()
        await self.settle()

    async def story(self) -> str:
        """The messages of the newest job, but for its log."""
        return "\n".join(event.message for event in await self.store.jobs.events((await self.jobs())[-1].id))

    async def vpcs(self) -> int:
        """How many networks this installation has."""
        filters = [{"Name": "tag:shipmate:owner", "Values": [self.folder.name]}]
        return len((await self.clients.call("ec2", "DescribeVpcs", Filters=filters))["Vpcs"])


@pytest.fixture
async def foundry(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Foundry]:
    async with afloat(Foundry(new_folder(), emulator, clients, network)) as foundry:
        yield foundry


@pytest.fixture
async def island(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Island]:
    async with afloat(Island(new_folder(), emulator, clients, network)) as island:
        yield island


async def calls_of(island: Island, doing: Awaitable[object]) -> int:
    """How many calls of AWS it takes, looks and all."""
    island.clients.calls.clear()
    await doing
    return sum(island.clients.calls.values())


async def test_a_first_version_gets_all_it_stands_on_and_the_next_finds_it(island: Island) -> None:
    first = await calls_of(island, island.settle_on({"provision": True, **BARE}))
    assert await island.states() == ["COMPLETED"], await island.story()
    said = await island.story()
    assert "+ VPC 10.42.0.0/16" in island.everything_written()
    assert said.index("Making what it stands on in AWS: 18 parts new") < said.index("What it stands on in AWS is there")
    url = str(island.url())
    assert await answer_of(url) == "200 zero"
    await island.stop()
    await island.start()
    async with people(url) as seen:
        update = await calls_of(island, island.ship("one"))
    assert await island.states() == ["COMPLETED", "COMPLETED"]
    assert set(seen) == {"200 zero", "200 one"}
    assert "Making what it stands on" not in await island.story()
    assert first <= 120
    assert update <= 40


async def test_what_is_missing_is_named_with_both_ways_to_get_it(island: Island) -> None:
    await island.settle_on(BARE)
    job = (await island.jobs())[-1]
    assert (job.state.value, job.error_code) == ("FAILED", "ecs_not_provisioned")
    said = island.everything_written()
    assert "`shipmate aws apply acme/api production`" in said
    assert "`ecs.provision: true`" in said
    assert await island.vpcs() == 0


async def test_a_load_balancer_that_somebody_deleted_is_made_anew_and_the_service_stands_behind_it(
    island: Island,
) -> None:
    await island.settle_on({"provision": True, **BARE})
    known = await island.clients.call("elbv2", "DescribeLoadBalancers", PageSize=MOST_BALANCERS)
    elb = known["LoadBalancers"]
    gone = next(one["LoadBalancerArn"] for one in elb if one["DNSName"] in str(island.url()))
    groups = (await island.clients.call("elbv2", "DescribeTargetGroups", LoadBalancerArn=gone))["TargetGroups"]
    await island.clients.call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=gone)
    for group in groups:
        await island.clients.call("elbv2", "DeleteTargetGroup", TargetGroupArn=group["TargetGroupArn"])
    for serves in ("one", "two"):
        await island.ship(serves)
        assert await answer_of(str(island.url())) == f"200 {serves}", await island.story()
    assert await island.states() == ["COMPLETED"] * 3


async def test_a_rehearsal_shows_the_plan_and_makes_nothing(island: Island) -> None:
    await island.settle_on({"provision": True, **BARE}, branch="release")
    number = (await island.open_pull("one")).number
    await island.say(number, "/deploy --noop")
    assert (await island.states())[-1] == "COMPLETED"
    assert "made in AWS: `role shipmate-" in island.everything_written()
    assert await island.vpcs() == 0


@pytest.mark.parametrize("steps", [12, 24])
async def test_a_server_that_dies_on_the_way_makes_nothing_twice(island: Island, steps: int) -> None:
    island.life.fatal_step = island.life.steps + steps
    await island.settle_on({"provision": True, **BARE})
    assert await island.states() == ["COMPLETED"]
    assert await island.vpcs() == 1
    assert await answer_of(str(island.url())) == "200 zero"


async def test_the_shell_sees_what_a_deployment_made(island: Island, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    await island.settle_on({"provision": True, **BARE})
    at = AwsSettings(REGION, island.emulator.url)
    settings = replace(island.settings(), aws=at, owner=island.folder.name)
    async with open_ground(settings, Masker(), Asked("acme/api", "production")) as opened:
        seen = await opened.ground.looked_at(opened.spec)
        assert {part.action for part in seen} == {PartAction.KEEP}
        doomed = await opened.ground.doomed(opened.spec, opened.images)
    assert doomed[0].kind == "service"
    assert {part.part for part in seen} < {part.part for part in doomed}


async def test_builds_get_a_role_of_their_own(foundry: Foundry) -> None:
    foundry.equip()
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    await foundry.sail(gate=GATE, ecs={"builder": "codebuild", "provision": True, "permissions_boundary": boundary})
    assert await foundry.states() == ["COMPLETED"]
    assert [build.status for build in await foundry.builds()] == ["SUCCEEDED"]
    name = project_name(ProjectSettings(), foundry.owner, "acme/api")
    project = (await foundry.clients.call("codebuild", "BatchGetProjects", names=[name]))["projects"][0]
    assert project["serviceRole"].endswith("-build")
    role = project["serviceRole"].rpartition("/")[2]
    made = (await foundry.clients.call("iam", "GetRole", RoleName=role))["Role"]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
