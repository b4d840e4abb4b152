"""Works off what the table's stream tells: finds, inspects, begins the build, and ends one that became of no use."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aws import builds
from aws.asked import DynamoAsked
from aws.clients import AwsClients
from aws.lambdas.building import Builds
from aws.lambdas.ending import ended
from aws.lambdas.finding import Finder, Subject
from aws.lambdas.settings import LambdaSettings, access, from_environment
from aws.lambdas.warm import Warm
from aws.places import DynamoPlaces
from bot.asked import Asked, AskedTable, Waits
from bot.clock import Clock, utc_now
from bot.errors import Permanent, ShipmateError, Transient
from bot.github.api import open_github
from bot.model import JobState

NEEDED = ("SHIPMATE_INSTALLATIONS_TABLE", "SHIPMATE_OWNER", "GITHUB_APP_ID", "GITHUB_PRIVATE_KEY_SECRET")
log = logging.getLogger("shipmate.lambdas")

Build = Callable[[Asked, Subject], Awaitable[str | None]]
"""Begins the build of a deployment; answers its id, or None where the server has to build."""
Stop = Callable[[str], Awaitable[None]]
"""Asks for the end of a build, by its id. Repeatable."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where deployments are worked on that wait for it, and builds are ended that nobody waits for any more."""

    table: AskedTable
    finder: Finder
    build: Build
    stop: Stop
    clock: Clock = utc_now

    async def settle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work off a batch; answers which records have to come again.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        """
        records = list(event["Records"])
        done = await asyncio.gather(*(self._record(record) for record in records))
        again = [record["dynamodb"]["SequenceNumber"] for record, well in zip(records, done, strict=True) if not well]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in again]}

    async def _record(self, record: Mapping[str, Any]) -> bool:
        """Whether nothing is left to do for it. One that cannot be read comes again until it is put aside."""
        try:
            await self.work(str(record["dynamodb"]["Keys"]["deploymentId"]["S"]))
        except Transient as passing:
            log.warning("a record has to come again: %s", passing)
            return False
        except Exception:
            log.exception("a record was not understood")
            return False
        return True

    async def work(self, deployment_id: str) -> None:
        """What stands in the table decides, not the record: what came twice, late or after a death goes on from there.

        Raises Transient.
        """
        asked = await self.table.get(deployment_id)
        if asked is not None and asked.vain_build is not None:
            await self._stopped(asked.vain_build)
        if asked is None or asked.waits is not Waits.WORK:
            return
        if asked.state is JobState.PENDING:
            asked = await self.table.change(asked, asked.gone_to(JobState.PROCESSING, self.clock(), Waits.WORK))
        if asked is not None:
            await self._processed(asked)

    async def _processed(self, asked: Asked) -> None:
        """Build it, or say why not; whoever changed it meanwhile is let be."""
        try:
            await self._built(asked)
        except Transient:
            raise
        except ShipmateError as error:
            await self._end(asked.id, error)
        except Exception as error:
            log.exception("a deployment broke", extra={"deployment": asked.id})
            await self._end(asked.id, error)

    async def _built(self, asked: Asked) -> None:
        """The commit is kept before its build begins, so that no other one is meant after a death."""
        subject = await self.finder.find(asked)
        if asked.found is None:
            kept = await self.table.change(asked, replace(asked, found=subject.found))
            if kept is None:
                return
            asked = kept
        build_id = await self.build(asked, subject)
        if build_id is None:
            await self.table.change(asked, replace(asked, waits=Waits.SERVER))
            return
        begun = asked.gone_to(JobState.BUILDING, self.clock(), Waits.SERVER)
        if await self.table.change(asked, replace(begun, build_id=build_id)) is None:
            await self._noted(asked.id, build_id)

    async def _noted(self, deployment_id: str, build_id: str) -> None:
        """The server went on with it meanwhile: the build is known all the same, so that it ends where that does."""
        while (now := await self.table.get(deployment_id)) is not None and now.build_id is None:
            await self.table.change(now, replace(now, build_id=build_id))

    async def _stopped(self, build_id: str) -> None:
        """What cannot be stopped holds up no other record: it ends by itself, at its project's limit."""
        try:
            await self.stop(build_id)
        except Permanent as refused:
            log.warning("a build nobody waits for goes on", extra={"build": build_id, "code": refused.code})

    async def _end(self, deployment_id: str, error: Exception) -> None:
        now = await self.table.get(deployment_id)
        if now is not None and now.waits is Waits.WORK:
            await self.table.change(now, ended(now, error, self.clock()))


@asynccontextmanager
async def _opened() -> AsyncIterator[Bench]:
    settings = from_environment(None, *NEEDED)
    clients = AwsClients(access(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(clients.close)
        github = await stack.enter_async_context(
            open_github(
                settings.app_id, await _app_key(clients, settings), lambda secret: None, api_url=settings.api_url
            )
        )
        finder = Finder(github, DynamoPlaces(clients, settings.installations))
        table, begin = DynamoAsked(clients, settings.deployments), Builds(clients, settings)
        yield Bench(table, finder, begin, partial(builds.stop, clients))


async def _app_key(clients: AwsClients, settings: LambdaSettings) -> str:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"""
    reply = await clients.call("secretsmanager", "GetSecretValue", SecretId=settings.key_secret)
    return str(reply["SecretString"])


_WARM = Warm(_opened)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """AWS Lambda's entry: a batch of the stream in, what has to come again out."""
    return _WARM.run(lambda bench: bench.settle(event))
