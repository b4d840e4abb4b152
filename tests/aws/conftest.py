"""An emulated AWS for the whole session, clients to it that are watched, and a network with a load balancer on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiobotocore.session import AioSession
from botocore.retries import standard

from aws.clients import AwsAccess, AwsClients, Keys
from tests.aws import registry
from tests.aws.emulator.handle import Emulator
from tests.aws.guard import Guard
from tests.aws.network import Network, Vpc, lay_out, make_vpc
from tests.aws.registry import DataPlane

REGION = "us-east-1"


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(emulator_process: Emulator) -> Emulator:
    """The session's emulator: nothing goes wrong in it yet. Name things for the test that makes them."""
    emulator_process.reset()
    return emulator_process


@pytest.fixture
def guard() -> Iterator[Guard]:
    """Fails the test whose requests AWS itself would have refused."""
    guard = Guard()
    yield guard
    assert guard.wrong == []


@pytest.fixture
def access(emulator: Emulator) -> AwsAccess:
    async def keys() -> Keys:
        return Keys("AKIAEXAMPLE", "secret")

    return AwsAccess(REGION, emulator.url, keys)


@pytest.fixture
def no_config_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that this machine knows of AWS is looked at."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore waits up to 20 s before it tries again; here it does not."""
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda self, context: 0.01)


@pytest.fixture
async def clients(
    access: AwsAccess, guard: Guard, no_config_files: None, short_pauses: None
) -> AsyncIterator[AwsClients]:
    """Clients to the emulator; each request is checked against AWS's model."""
    clients = AwsClients(access, session=guard.watch(AioSession()))
    yield clients
    await clients.close()


@pytest.fixture(scope="session")
def vpcs() -> list[Vpc]:
    """The session's VPC, once somebody made it: to open a client of EC2 takes longer than all else of a network."""
    return []


@pytest.fixture
async def network(clients: AwsClients, vpcs: list[Vpc]) -> Network:
    """A VPC with two subnets, a load balancer with a production and a test listener, two target groups, a cluster."""
    if not vpcs:
        vpcs.append(await make_vpc(clients))
    return await lay_out(clients, vpcs[0])


@pytest.fixture(scope="session")
def data_plane() -> Iterator[DataPlane]:
    """ECR's data plane; left out, with one sentence, where there is none, but never where CI says so."""
    if shutil.which(registry.PROGRAM) is None and os.environ.get("CI") != "true":
        pytest.skip(registry.NO_REGISTRY)
    with DataPlane() as data_plane:
        yield data_plane
