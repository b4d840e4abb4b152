"""The emulator keeps the promises the other tests lean on: lifecycle, weights, hooks, rollback, alarms."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aws.clients import AwsClients
from aws.errors import AwsRefusal
from tests.aws.emulator.handle import Emulator
from tests.aws.network import CONTAINER_PORT, Network
from tests.aws.people import answer_of
from tests.patience import ENOUGH_S

FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
PAUSE = {
    "targetType": "PAUSE",
    "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
    "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
}


class Service:
    """One service of the network, driven by bare calls."""

    def __init__(self, clients: AwsClients, emulator: Emulator, network: Network) -> None:
        self.clients, self.emulator, self.network = clients, emulator, network

    async def define(self, does: str) -> str:
        image = f"{self.network.name}:{does.replace(' ', '-')}"
        self.emulator.has_image(image, does)
        made = await self.clients.call(
            "ecs",
            "RegisterTaskDefinition",
            family=self.network.name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "web", "image": image, "portMappings": [{"containerPort": CONTAINER_PORT}]}],
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    async def create(self, does: str) -> None:
        net = self.network
        await self.clients.call(
            "ecs",
            "CreateService",
            cluster=net.cluster,
            serviceName="web",
            clientToken=f"{net.name}-create",
            taskDefinition=await self.define(does),
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": list(net.subnets), "securityGroups": [net.security_group]}
            },
            loadBalancers=[
                {
                    "targetGroupArn": net.blue,
                    "containerName": "web",
                    "containerPort": CONTAINER_PORT,
                    "advancedConfiguration": {
                        "alternateTargetGroupArn": net.green,
                        "productionListenerRule": net.production_rule,
                        "testListenerRule": net.test_rule,
                        "roleArn": net.role,
                    },
                }
            ],
            deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0},
        )
        assert (await self.over())["status"] == "SUCCESSFUL"

    async def update(self, does: str, **config: Any) -> None:
        await self.clients.call(
            "ecs",
            "UpdateService",
            cluster=self.network.cluster,
            service="web",
            taskDefinition=await self.define(does),
            deploymentConfiguration=config,
        )

    async def newest(self) -> dict[str, Any]:
        listed = await self.clients.call("ecs", "ListServiceDeployments", cluster=self.network.cluster, service="web")
        arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        found = await self.clients.call("ecs", "DescribeServiceDeployments", serviceDeploymentArns=[arn])
        return dict(found["serviceDeployments"][0])

    async def until(self, so: Any) -> dict[str, Any]:
        async with asyncio.timeout(ENOUGH_S):
            while True:
                now = await self.newest()
                if so(now):
                    return now
                await asyncio.sleep(0.02)

    async def over(self) -> dict[str, Any]:
        return await self.until(lambda now: now["status"] in FINAL)

    async def waiting(self) -> dict[str, Any]:
        return await self.until(lambda now: any(h["status"] == "AWAITING_ACTION" for h in now["lifecycleHookDetails"]))

    async def answers(self, test: bool = False) -> str:
        return await answer_of(self.network.test_url if test else self.network.url)


@pytest.fixture
async def service(clients: AwsClients, emulator: Emulator, network: Network) -> Service:
    service = Service(clients, emulator, network)
    await service.create("serve one")
    return service


async def test_a_pause_holds_production_while_the_test_listener_shows_green(service: Service) -> None:
    await service.update("serve two", strategy="BLUE_GREEN", bakeTimeInMinutes=0, lifecycleHooks=[PAUSE])
    now = await service.waiting()
    assert await service.answers() == "200 one"
    assert await service.answers(test=True) == "200 two"
    (hook,) = now["lifecycleHookDetails"]
    await service.clients.call(
        "ecs",
        "ContinueServiceDeployment",
        serviceDeploymentArn=now["serviceDeploymentArn"],
        hookId=hook["hookId"],
        action="CONTINUE",
    )
    assert (await service.over())["status"] == "SUCCESSFUL"
    assert await service.answers() == "200 two"


async def test_tasks_that_end_are_rolled_back(service: Service) -> None:
    await service.update("exit 3", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    over = await service.over()
    assert over["status"] == "ROLLBACK_SUCCESSFUL"
    assert "exited (3)" in over["statusReason"]
    assert await service.answers() == "200 one"


async def test_a_stop_in_bake_time_puts_blue_back(service: Service) -> None:
    await service.update("serve two", strategy="BLUE_GREEN", bakeTimeInMinutes=60)
    now = await service.until(lambda now: now["lifecycleStage"] == "BAKE_TIME")
    assert await service.answers() == "200 two"
    arn = now["serviceDeploymentArn"]
    await service.clients.call("ecs", "StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert (await service.over())["status"] == "ROLLBACK_SUCCESSFUL"
    assert await service.answers() == "200 one"


async def test_a_canary_takes_its_share_and_then_all(service: Service, emulator: Emulator) -> None:
    emulator.is_like(minute_s=1.5)
    canary = {"canaryPercent": 50.0, "canaryBakeTimeInMinutes": 1}
    await service.update("serve two", strategy="CANARY", bakeTimeInMinutes=0, canaryConfiguration=canary)
    await service.until(lambda now: now["targetServiceRevision"]["requestedProductionTrafficWeight"] == 50)
    assert {await service.answers() for _ in range(40)} == {"200 one", "200 two"}
    assert (await service.over())["status"] == "SUCCESSFUL"
    assert {await service.answers() for _ in range(10)} == {"200 two"}


async def test_a_service_is_not_created_twice_under_two_tokens(service: Service) -> None:
    with pytest.raises(AwsRefusal, match="not idempotent"):
        await service.clients.call(
            "ecs", "CreateService", cluster=service.network.cluster, serviceName="web", taskDefinition="x"
        )
