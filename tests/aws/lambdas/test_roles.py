"""The roles of the template are enough for the event-driven face: each function, and the server, under its own."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession

from aws import builds
from aws.asked import DynamoAsked
from aws.clients import AwsClients
from aws.lambdas.ask import Door
from aws.lambdas.building import Builds
from aws.lambdas.finish import Foreman
from aws.lambdas.settings import LambdaSettings
from aws.places import DynamoPlaces
from bot.clock import utc_now
from bot.model import JobState
from tests.aws.emulator.handle import Emulator
from tests.aws.foundry import BUILDS
from tests.aws.guard import Guard
from tests.aws.harbour import FIRST_PAUSE_S
from tests.aws.infra.template import of_role
from tests.aws.infra.tenant import moved_in
from tests.aws.lambdas.quay import Quay, build_event, http_event
from tests.aws.network import Network
from tests.world import REPO

ROLE = "arn:aws:iam::123456789012:role/shipmate/build"
TABLES = "arn:aws:dynamodb:us-east-1:123456789012:table"


@dataclass(frozen=True, slots=True)
class Staff:
    """Whoever touches the tables, each under its own role."""

    ask: AwsClients
    work: AwsClients
    finish: AwsClients
    server: AwsClients


@pytest.fixture
async def quay(emulator: Emulator, clients: AwsClients, network: Network) -> AsyncIterator[Quay]:
    """What is built goes live; the server is not there yet."""
    folder = Path(tempfile.mkdtemp(prefix="quay"))
    quay = Quay(folder, emulator, clients, network)
    await quay.prepare()
    yield quay
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def staff(quay: Quay, guard: Guard) -> AsyncIterator[Staff]:
    tables = {"Deployments.Arn": f"{TABLES}/deployments-{quay.owner}"}
    tables["Installations.Arn"] = f"{TABLES}/installations-{quay.owner}"
    async with AsyncExitStack() as stack:
        hired = []
        for role in ("AskRole", "WorkRole", "FinishRole", "ServerRole"):
            tenant = await moved_in(quay.clients, guard.watch(AioSession()))
            stack.push_async_callback(tenant.own.close)
            await tenant.may(of_role(role, tables, Owner=quay.owner))
            hired.append(tenant.own)
        yield Staff(*hired)


async def test_a_deployment_goes_all_the_way_with_nothing_but_what_the_roles_allow(quay: Quay, staff: Staff) -> None:
    deployments = f"deployments-{quay.owner}"
    quay.table, quay.places = tables_of(quay, staff.server)
    async with quay:
        await quay.lies(builds={**BUILDS, "codebuild": {"service_role": ROLE}})
        await quay.push("one")
        asked = http_event({"userId": "alice", "repo": REPO, "branch": "main"})
        told = await Door(DynamoAsked(staff.ask, deployments)).answer(asked)
        deployment = json.loads(told["body"])["data"]["deploymentId"]
        await quay.looks()
        await quay.works(**worker(quay, staff))
        build = await quay.built(deployment)
        finish = Foreman(DynamoAsked(staff.finish, deployments), partial(_build, staff.finish))
        await finish.hear(build_event(build.id))
        await quay.takes_over()
        job = await quay.store.jobs.get(deployment)
        assert job is not None
        assert job.state is JobState.COMPLETED
        assert await quay.answers_people() == "200 one"


async def test_a_build_that_became_of_no_use_ends_under_the_role_that_began_it(quay: Quay, staff: Staff) -> None:
    quay.table, quay.places = tables_of(quay, staff.server)
    async with quay:
        await quay.lies(builds={**BUILDS, "codebuild": {"service_role": ROLE}})
        await quay.push("one", f"until {quay.folder / 'never'}")
        reply = await quay.ask()
        await quay.works(**worker(quay, staff))
        asked = await quay.asked(reply.id)
        assert await quay.table.change(asked, asked.gone_to(JobState.CANCELLED, utc_now(), None)) is not None
        await quay.works(**worker(quay, staff))
        assert (await quay.built(reply.id)).status == "STOPPED"


def tables_of(quay: Quay, clients: AwsClients) -> tuple[DynamoAsked, DynamoPlaces]:
    """The two tables, as somebody sees them."""
    return DynamoAsked(clients, f"deployments-{quay.owner}"), DynamoPlaces(clients, f"installations-{quay.owner}")


def worker(quay: Quay, staff: Staff) -> dict[str, Any]:
    """The parts of the worker's Lambda, under its role."""
    table, quay.places = tables_of(quay, staff.work)
    settings = LambdaSettings("", url=quay.github.url, owner=quay.owner)
    begin = Builds(staff.work, settings, first_pause_s=FIRST_PAUSE_S)
    return {"table": table, "build": begin, "stop": partial(builds.stop, staff.work)}


async def _build(clients: AwsClients, build_id: str) -> builds.Build | None:
    return next(iter(await builds.look_at(clients, [build_id])), None)
