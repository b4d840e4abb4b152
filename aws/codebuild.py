"""Builds images on CodeBuild: one build for each job, told while it runs, and really stopped when it is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aws import buildproject, builds
from aws.buildlog import pages
from aws.buildproject import BuildOrder, ProjectSettings
from aws.builds import Build, Phase
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.repeat import FIRST_PAUSE_S, settled, token
from bot.errors import Permanent, ShipmateError, Transient
from bot.ports import Pace, PushedImage

_FULL = "AccountLimitExceededException"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a build was told: so many phases, and the log up to `token`."""

    phases: int = 0
    token: str | None = None


@dataclass(frozen=True, slots=True)
class BuildNews:
    """What was not told before. Kept together with `mark` in one step, nothing is told twice after a crash."""

    mark: Mark
    lines: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()


Tell = Callable[[BuildNews], Awaitable[None]]


class CodeBuild:
    """Makes images where the sources are not: CodeBuild fetches the commit and pushes what it built.

    `pace`: seconds between two looks; the first while there is news, growing to the longest while there is none.
    """

    def __init__(
        self,
        clients: AwsClients,
        owner: str,
        settings: ProjectSettings,
        *,
        pace: Pace | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._clients, self._owner, self._settings = clients, owner, settings
        self._pace, self._first_pause_s = pace or Pace(), first_pause_s

    async def build(self, order: BuildOrder, tell: Tell, after: Mark | None = None) -> PushedImage:
        """The image of the job's one build, by digest; a build that began before is found and followed on.

        Cancelling the task stops the build, and so does a failure that ends the job. Raises what `builds.digest_of`
        and `buildproject.ensured` say.
        """
        beginning = asyncio.create_task(self.begin(order))
        try:
            build = await self.follow(await asyncio.shield(beginning), tell, after or Mark())
        except (asyncio.CancelledError, Permanent):
            await asyncio.shield(self._end(beginning))
            raise
        digest = builds.digest_of(build)
        return PushedImage(f"{order.image_repository}@{digest}", order.image_repository, pushed=True)

    async def begin(self, order: BuildOrder) -> str:
        """The id of the job's build, started at the pinned commit if there is none among the project's newest 100.

        CodeBuild keeps its own token for five minutes only, so the job's variable is looked for first.
        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
        """
        project = await buildproject.ensured(
            self._clients, self._settings, self._owner, order, first_pause_s=self._first_pause_s
        )

        async def look() -> str | None:
            return await self._found(project, order.job_id)

        async def make() -> str:
            return await self._started(project, order)

        return await settled(look, make, self._first_pause_s)

    async def follow(self, build_id: str, tell: Tell, after: Mark) -> Build:
        """Tell phases and lines as they come; answers the build once it is over and its log says nothing new."""
        mark, wait_s = after, self._pace.first_s
        while True:
            build = await self._look(build_id)
            told = await self._tell_news(build, tell, mark)
            if told == mark and build.complete:
                return build
            wait_s = self._pace.first_s if told != mark else min(wait_s * 1.5, self._pace.longest_s)
            mark = told
            await asyncio.sleep(wait_s)

    async def stop(self, build_id: str) -> Build:
        """Stop it and wait until it is over. Repeatable.

        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html
        """
        try:
            await self._clients.call("codebuild", "StopBuild", id=build_id)
        except AwsRefusal:
            if not (await self._look(build_id)).complete:
                raise
        while True:
            build = await self._look(build_id)
            if build.complete:
                return build
            await asyncio.sleep(self._pace.first_s)

    async def _end(self, beginning: asyncio.Task[str]) -> None:
        """Stop what began, however far it came; that it cannot be stopped does not hide why it should be."""
        try:
            await self.stop(await beginning)
        except ShipmateError as error:
            _log.warning("a build may run on: %s", error)

    async def _look(self, build_id: str) -> Build:
        found = await builds.look_at(self._clients, [build_id])
        if not found:
            raise Permanent("codebuild_gone", build=build_id)
        return found[0]

    async def _found(self, project: str, job_id: str) -> str | None:
        reply = await self._clients.call(
            "codebuild", "ListBuildsForProject", projectName=project, sortOrder="DESCENDING"
        )
        known = await builds.look_at(self._clients, list(reply.get("ids", []))[:100])
        return next((build.id for build in known if build.job_id == job_id), None)

    async def _started(self, project: str, order: BuildOrder) -> str:
        try:
            reply = await self._clients.call_once("codebuild", "StartBuild", **self._wanted(project, order))
        except AwsRefusal as refusal:
            if refusal.aws_code == _FULL:
                raise Transient("aws_throttled", operation="codebuild.StartBuild") from refusal
            raise
        return str(reply["build"]["id"])

    def _wanted(self, project: str, order: BuildOrder) -> dict[str, Any]:
        """Settings that changed since the project was made hold for the build; a project given stays as it is."""
        settings = self._settings
        given = {builds.JOB_VARIABLE: order.job_id, "IMAGE_REPO": order.image_repository}
        wanted: dict[str, Any] = {
            "projectName": project,
            "sourceVersion": order.sha,
            "buildspecOverride": order.buildspec,
            "environmentVariablesOverride": [{"name": name, "value": value} for name, value in given.items()],
            "idempotencyToken": token(order.job_id, "build"),
        }
        if settings.name is None:
            wanted |= {
                "imageOverride": settings.image,
                "environmentTypeOverride": settings.environment_type,
                "computeTypeOverride": settings.compute_type,
                "serviceRoleOverride": settings.service_role,
                "timeoutInMinutesOverride": settings.timeout_minutes,
            }
        return wanted

    async def _tell_news(self, build: Build, tell: Tell, mark: Mark) -> Mark:
        """Lines first: a phase ends after what it wrote."""
        if build.group and build.stream:
            async for page in pages(self._clients, build.group, build.stream, mark.token):
                mark = replace(mark, token=page.token)
                await tell(BuildNews(mark, lines=page.lines))
        ended = build.phases[mark.phases :]
        if ended:
            mark = replace(mark, phases=len(build.phases))
            await tell(BuildNews(mark, phases=ended))
        return mark
