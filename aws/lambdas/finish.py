"""Tells that a build began, if who began it could not, and how it ended, where the server has made no job of it yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aws import builds
from aws.asked import DynamoAsked
from aws.builds import Build
from aws.clients import AwsClients
from aws.lambdas.ending import ended
from aws.lambdas.settings import access, from_environment
from aws.lambdas.warm import Warm
from bot.asked import Asked, AskedTable, Waits
from bot.clock import Clock, utc_now
from bot.errors import Permanent
from bot.model import JobState

BUILD_FAILED = "DOCKER_BUILD_FAILED"
Look = Callable[[str], Awaitable[Build | None]]
"""A build as CodeBuild knows it, by its id."""


@dataclass(frozen=True, slots=True)
class Foreman:
    """Hears of builds that began or are over; what he hears is looked at, since events come twice and late."""

    table: AskedTable
    look: Look
    clock: Clock = utc_now

    async def hear(self, event: Mapping[str, Any]) -> None:
        """One state change of a build. Raises Transient.

        https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html#sample-build-notifications-ref
        """
        build = await self.look(str(event["detail"]["build-id"]).rpartition(":build/")[2])
        asked = await self._begun(build.job_id, build.id) if build and build.job_id else None
        if build is None or asked is None or not build.complete:
            return
        if asked.waits is Waits.SERVER and asked.build_id == build.id and asked.state is JobState.BUILDING:
            await self._tell(asked, build)

    async def _begun(self, deployment_id: str, build_id: str) -> Asked | None:
        """The deployment, which knows its build from now on: the Lambda that began it may have died before it wrote so.

        One that ended meanwhile knows it too, so that the build ends with it. None: the table has no such deployment.
        """
        while (asked := await self.table.get(deployment_id)) is not None and asked.build_id is None:
            waits = asked.waits is Waits.WORK and asked.state is JobState.PROCESSING
            begun = asked.gone_to(JobState.BUILDING, self.clock(), Waits.SERVER) if waits else asked
            await self.table.change(asked, replace(begun, build_id=build_id))
        return asked

    async def _tell(self, asked: Asked, build: Build) -> None:
        """The image is in its registry by now, or there is none; whoever was quicker is let be."""
        try:
            builds.digest_of(build)
        except Permanent as failed:
            await self.table.change(asked, ended(asked, failed, self.clock(), BUILD_FAILED))
            return
        await self.table.change(asked, asked.gone_to(JobState.PUSHING, self.clock(), Waits.SERVER))


@asynccontextmanager
async def _opened() -> AsyncIterator[Foreman]:
    settings = from_environment()
    clients = AwsClients(access(settings))

    async def look(build_id: str) -> Build | None:
        return next(iter(await builds.look_at(clients, [build_id])), None)

    try:
        yield Foreman(DynamoAsked(clients, settings.deployments), look)
    finally:
        await clients.close()


_WARM = Warm(_opened)


def handle(event: Mapping[str, Any], _context: object) -> None:
    """AWS Lambda's entry: one event of CodeBuild."""
    _WARM.run(lambda foreman: foreman.hear(event))
