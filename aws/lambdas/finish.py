"""Tells how a build ended, where the server has made no job of the deployment yet: what comes next, or why nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from bot.errors import Permanent, Transient
from bot.model import JobState

BUILD_FAILED = "DOCKER_BUILD_FAILED"
Look = Callable[[str], Awaitable[Build | None]]
"""A build as CodeBuild knows it, by its id."""


@dataclass(frozen=True, slots=True)
class Foreman:
    """Hears of builds that are over; what he hears is looked at, since events come twice and late."""

    table: AskedTable
    look: Look
    clock: Clock = utc_now

    async def hear(self, event: Mapping[str, Any]) -> None:
        """One state change of a build. Raises Transient while it is told of sooner than written that it began.

        https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html#sample-build-notifications-ref
        """
        build = await self.look(str(event["detail"]["build-id"]).rpartition(":build/")[2])
        asked = await self.table.get(build.job_id) if build and build.complete and build.job_id else None
        if build is None or asked is None:
            return
        if asked.waits is Waits.WORK:
            raise Transient("build_not_written")
        if asked.waits is Waits.SERVER and asked.build_id == build.id and asked.state is JobState.BUILDING:
            await self._tell(asked, build)

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
