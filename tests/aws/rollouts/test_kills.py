"""`kill -9` of a real server while ECS ships: what was begun is found again, made once, and nobody loses a request."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from aws.clients import AwsClients
from aws.errors import AwsRefusal
from tests.aws.emulator.handle import Emulator
from tests.aws.network import Network
from tests.aws.real_harbour import Ocean, RealHarbour, real_harbour
from tests.aws.registry import DataPlane
from tests.engines.docker.conftest import base_image
from tests.hammer import hammering

__all__ = ["base_image"]

pytestmark = pytest.mark.docker

STAGES = (
    "SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)


@pytest.fixture
async def harbour(
    base_image: None, emulator: Emulator, clients: AwsClients, network: Network, data_plane: DataPlane
) -> AsyncIterator[RealHarbour]:
    await _forget_images(clients)
    async with real_harbour(Ocean(emulator, clients, network, data_plane.host)) as harbour:
        yield harbour


async def _forget_images(clients: AwsClients) -> None:
    """The emulator is the session's: another test may have had the repository made."""
    with contextlib.suppress(AwsRefusal):
        await clients.call("ecr", "DeleteRepository", repositoryName="acme-api", force=True)


async def test_a_server_killed_before_it_hears_an_answer_neither_makes_nor_takes_back_twice(
    harbour: RealHarbour,
) -> None:
    first = await harbour.push("blue")
    for operation in ("CreateRepository", "RegisterTaskDefinition", "CreateService", "ContinueServiceDeployment"):
        await harbour.kill_during(operation)
    await harbour.settle()
    assert await harbour.made() == (1, 1, 1)
    assert harbour.state(first) == "COMPLETED"
    assert harbour.told(first) == ["success"]
    async with hammering(harbour.ocean.network.url) as people:
        second = await harbour.push_unwell("green")
        for operation in ("UpdateService", "StopServiceDeployment"):
            await harbour.kill_during(operation)
        await harbour.settle()
    assert await harbour.made() == (2, 1, 2)
    assert harbour.state(second) == "FAILED"
    assert harbour.told(second) == ["failure"]
    assert await harbour.serves() == "blue"
    assert people.failures == []


async def test_a_server_killed_in_every_stage_of_a_deployment_ships_it_once(harbour: RealHarbour) -> None:
    await harbour.push("blue")
    await harbour.settle()
    async with hammering(harbour.ocean.network.url) as people:
        sha = await harbour.push("green")
        await harbour.kill_in(STAGES)
        await harbour.settle()
    assert await harbour.made() == (2, 1, 2)
    assert harbour.state(sha) == "COMPLETED"
    assert harbour.checks(sha) == ["shipmate / deploy: success"]
    assert harbour.told(sha) == ["success"]
    assert await harbour.serves() == "green"
    assert people.failures == []
    assert set(people.answers) == {"blue", "green"}
