"""The harbour with the event-driven face before it: an API gateway, the tables, their stream and the three Lambdas."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from aws import builds
from aws.asked import INDEX, DynamoAsked
from aws.builds import Build
from aws.clients import AwsClients
from aws.lambdas.ask import Door
from aws.lambdas.building import Builds
from aws.lambdas.finding import Finder
from aws.lambdas.finish import Foreman
from aws.lambdas.settings import LambdaSettings
from aws.lambdas.work import Bench
from aws.places import DynamoPlaces
from bot.asked import Asked, AskedTable, PlaceTable, Tables
from bot.composition.house import House
from bot.composition.upkeep import rounds
from bot.github.api import open_github
from tests.aws.emulator.handle import Emulator
from tests.aws.foundry import BUILDS, Foundry
from tests.aws.harbour import FIRST_PAUSE_S
from tests.aws.lambdas.stream import Pump
from tests.aws.network import Network
from tests.patience import ENOUGH_S
from tests.world import PATIENCE, REPO

ASKER = "arn:aws:sts::123456789012:assumed-role/caller"
CALLER = f"{ASKER}/one"
ROUNDS = {"deployments asked for", "installations"}


@dataclass(frozen=True)
class Reply:
    """What the gateway sent back."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The deployment's."""
        return str(self.body["data"]["deploymentId"])


class Quay(Foundry):
    """A harbour whose deployments are asked for behind API Gateway, by a program that may, and built by CodeBuild."""

    def __init__(self, folder: Path, emulator: Emulator, clients: AwsClients, network: Network) -> None:
        super().__init__(folder, emulator, clients, network)
        self._owner = f"quay-{uuid.uuid4().hex[:8]}"
        self.table: AskedTable
        self.places: PlaceTable
        self.pump: Pump

    @property
    def owner(self) -> str:
        """Each quay's own."""
        return self._owner

    async def prepare(self) -> None:
        """Make the tables; before the server starts."""
        deployments, installations = await make_tables(self.clients, self.owner)
        self.table, self.places = DynamoAsked(self.clients, deployments), DynamoPlaces(self.clients, installations)
        self.pump = Pump(self.clients, deployments)

    async def _opened(self, stack: AsyncExitStack) -> House:
        house = await super()._opened(stack)
        return replace(house, tables=Tables(self.table, self.places))

    async def lies(self, *, builds: Mapping[str, Any] = BUILDS, **settings: Any) -> None:
        """Production is on ECS, built by CodeBuild, and deployed to by nobody who only pushes."""
        self.equip()
        written = yaml.safe_load(self.settings_of(ecs=dict(builds), checks=1, **settings))
        del written["environments"]["production"]["branch"]
        await self.push_files({".shipmate.yml": yaml.safe_dump(written)})
        await self.settle()

    # The three Lambdas

    async def request(self, event: dict[str, Any]) -> Reply:
        """What the gateway gets for an event of its own."""
        told = await Door(self.table).answer(event)
        return Reply(told["statusCode"], json.loads(told["body"]), told["headers"])

    async def ask(self, branch: str = "main", **headers: str) -> Reply:
        """POST /deployments for alice through an HTTP API."""
        return await self.request(http_event({"userId": "alice", "repo": REPO, "branch": branch}, **headers))

    @asynccontextmanager
    async def bench(self, **parts: Any) -> AsyncIterator[Bench]:
        """The worker's Lambda, in a process of its own."""
        github = self.github.environment()
        async with open_github(
            github["GITHUB_APP_ID"],
            github["GITHUB_PRIVATE_KEY"],
            self.masker.register,
            api_url=github["GITHUB_API_URL"],
            patience=PATIENCE,
        ) as api:
            stop = partial(builds.stop, self.clients)
            yield replace(Bench(self.table, Finder(api, self.places), self.new_builds(), stop), **parts)

    def new_builds(self) -> Builds:
        """What begins builds, knowing nothing of earlier ones."""
        settings = LambdaSettings("", url=self.github.url, owner=self.owner)
        return Builds(self.clients, settings, first_pause_s=FIRST_PAUSE_S)

    async def works(self, **parts: Any) -> None:
        """The stream is worked off."""
        async with self.bench(**parts) as bench:
            await self.pump.run(bench.settle)

    async def hears(self, deployment_id: str) -> None:
        """CodeBuild's event of this deployment's build."""

        async def look(build_id: str) -> Build | None:
            return next(iter(await builds.look_at(self.clients, [build_id])), None)

        build = next(one for one in await self.builds() if one.job_id == deployment_id)
        await Foreman(self.table, look).hear(build_event(build.id))

    # What there is

    async def asked(self, deployment_id: str) -> Asked:
        """The item."""
        found = await self.table.get(deployment_id)
        assert found is not None
        return found

    async def walked(self, deployment_id: str) -> list[str]:
        """The states the item went through."""
        return [step.state.value for step in (await self.asked(deployment_id)).steps]

    async def looks(self) -> None:
        """The server looks at the tables once."""
        for one in rounds(self.house).rounds:
            if one.name in ROUNDS:
                await one.look()

    async def takes_over(self) -> None:
        """The server looks at the tables, and everything that comes of it is over."""
        await self.looks()
        await self.settle()

    async def commit_of(self, build_id: str) -> str:
        """What a build was started at."""
        reply = await self.clients.call("codebuild", "BatchGetBuilds", ids=[build_id])
        return str(reply["builds"][0]["sourceVersion"])

    async def built(self, deployment_id: str) -> Build:
        """The deployment's only build, once it is over."""
        async with asyncio.timeout(ENOUGH_S):
            while True:
                (build,) = [one for one in await self.builds() if one.job_id == deployment_id]
                if build.complete:
                    return build
                await asyncio.sleep(0.02)


async def make_tables(clients: AwsClients, suffix: str) -> tuple[str, str]:
    """The two tables as the template has them."""
    deployments, installations = f"deployments-{suffix}", f"installations-{suffix}"
    text = [{"AttributeName": name, "AttributeType": "S"} for name in ("deploymentId", "awaits", "createdAt")]
    index = [{"AttributeName": "awaits", "KeyType": "HASH"}, {"AttributeName": "createdAt", "KeyType": "RANGE"}]
    await clients.call(
        "dynamodb",
        "CreateTable",
        TableName=deployments,
        AttributeDefinitions=text,
        KeySchema=[{"AttributeName": "deploymentId", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {"IndexName": INDEX, "KeySchema": index, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    await clients.call(
        "dynamodb",
        "CreateTable",
        TableName=installations,
        AttributeDefinitions=[{"AttributeName": "userId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return deployments, installations


def http_event(body: Any, path: str = "/deployments", method: str = "POST", **headers: str) -> dict[str, Any]:
    """A proxy event of an HTTP API (format 2.0) whose route is signed for (AWS_IAM)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **named},
        "requestContext": {
            "accountId": "123456789012",
            "authorizer": {"iam": {"accountId": "123456789012", "callerId": "AROA:one", "userArn": CALLER}},
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "r",
            "stage": "$default",
        },
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def build_event(build_id: str) -> dict[str, Any]:
    """What EventBridge tells of a build that is over, as far as it is read."""
    arn = f"arn:aws:codebuild:us-east-1:123456789012:build/{build_id}"
    detail = {"build-id": arn, "build-status": "SUCCEEDED", "project-name": build_id.partition(":")[0]}
    return {"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": detail}
