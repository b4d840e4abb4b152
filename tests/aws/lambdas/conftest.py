"""A quay with nothing behind it, one that ships reach, and a table for itself."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aws.asked import DynamoAsked
from aws.clients import AwsClients
from tests.aws.emulator.handle import Emulator
from tests.aws.lambdas.quay import Quay, make_tables
from tests.aws.network import Network

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
NOWHERE = Network("api", "api", ("subnet-0a",), "sg-0a", "localhost", f"{ARN}:a", f"{ARN}:b", f"{ARN}:c", f"{ARN}:d")


@asynccontextmanager
async def opened(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Quay]:
    folder = Path(tempfile.mkdtemp(prefix="quay"))
    quay = Quay(folder, emulator, clients, network)
    await quay.prepare()
    async with quay:
        yield quay
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def quay(emulator: Emulator, clients: AwsClients) -> AsyncIterator[Quay]:
    """Builds run; nothing that was built could go anywhere."""
    async with opened(emulator, clients, NOWHERE) as quay:
        await quay.lies()
        yield quay


@pytest.fixture
async def open_quay(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Quay]:
    """What is built goes live."""
    async with opened(emulator, clients, network) as quay:
        await quay.lies()
        yield quay


@pytest.fixture
async def table(clients: AwsClients) -> DynamoAsked:
    """A table of deployments that nobody else uses."""
    deployments, _ = await make_tables(clients, f"t-{uuid.uuid4().hex[:8]}")
    return DynamoAsked(clients, deployments)
