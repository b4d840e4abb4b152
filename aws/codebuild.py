"""Builds images on CodeBuild: one build for each job, told while it runs, and really stopped when nobody wants it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from aws import buildproject, builds
from aws.buildlog import pages
from aws.buildproject import ProjectSettings, project_name, settings_of
from aws.builds import Build
from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.provision.building import build_role
from aws.provision.site import Waits
from aws.repeat import FIRST_PAUSE_S, settled, token
from bot.errors import Permanent, Transient
from bot.ports.images import BuildNews, LogSink, PushedImage, RemoteOrder, TellBuild
from bot.ports.rollouts import Pace

CLOCKS_DIFFER_S = 600.0
"""So much earlier than ours AWS's clock may say that a build began."""
_FULL, _UNKNOWN = "AccountLimitExceededException", "ResourceNotFoundException"
_log = logging.getLogger(__name__)

Repositories = Callable[[str, LogSink], Awaitable[str]]
"""Has a repository ready for images; answers its address, `host/name`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a build was told: so many phases, and the log up to `token`."""

    phases: int = 0
    token: str | None = None


class CodeBuild:
    """A `ports.RemoteBuilder`: CodeBuild fetches the commit itself, and pushes what it built to ECR.

    `pace`: seconds between two looks; the first while there is news, growing to the longest while there is none.
    """

    def __init__(
        self,
        clients: AwsClients,
        owner: str,
        repositories: Repositories,
        *,
        pace: Pace | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._clients, self._owner, self._repositories = clients, owner, repositories
        self._pace, self._first_pause_s = pace or Pace(), first_pause_s

    async def build(self, order: RemoteOrder, tell: TellBuild, after: Mapping[str, Any]) -> PushedImage:
        """The image by digest. Cancelling leaves the build running; one just asked for has begun when this is back.

        Raises what `builds.digest_of` and `buildproject.ensured` say.
        """
        address = await self._repositories(order.image_repository, _log.info)
        beginning = asyncio.create_task(self.begin(order, address))
        try:
            build_id = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.gather(beginning, return_exceptions=True)  # so that `stop` finds it
            raise
        build = await self._followed(build_id, tell, Mark(**after))
        return PushedImage(f"{address}@{builds.digest_of(build)}", address, pushed=True)

    async def begin(self, order: RemoteOrder, address: str) -> str:
        """The id of the job's build, started at the pinned commit if there is none since the job was asked for.

        CodeBuild keeps its own token for five minutes only, so the job's variable is looked for first.
        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
        """
        settings = await self._settings(order)
        project = await buildproject.ensured(
            self._clients, settings, self._owner, order, first_pause_s=self._first_pause_s
        )

        async def look() -> str | None:
            return await self._found(project, order)

        async def make() -> str:
            return await self._started(_wanted(project, settings, order, address))

        return await settled(look, make, self._first_pause_s)

    async def stop(self, order: RemoteOrder) -> None:
        """Stop the job's build and wait until it is over; nothing where none began. Repeatable."""
        build_id = await self._begun(order)
        if build_id is None or (await self._look(build_id)).complete:
            return
        await builds.stop(self._clients, build_id)
        while True:
            if (await self._look(build_id)).complete:
                return
            await asyncio.sleep(self._pace.first_s)

    async def _settings(self, order: RemoteOrder) -> ProjectSettings:
        """With a role made for the repository, where none is named and it may be made."""
        settings = settings_of(order)
        if settings.service_role or settings.name:
            return settings
        waits = Waits(self._pace.longest_s, first_pause_s=self._first_pause_s)
        boundary = order.settings.get("permissions_boundary")
        role = await build_role(self._clients, self._owner, order.repository, order.image_repository, waits, boundary)
        return replace(settings, service_role=role)

    async def _begun(self, order: RemoteOrder) -> str | None:
        try:
            return await self._found(project_name(settings_of(order), self._owner, order.repository), order)
        except AwsRefusal as refusal:
            if refusal.aws_code == _UNKNOWN:
                return None
            raise

    async def _found(self, project: str, order: RemoteOrder) -> str | None:
        """Among the project's builds, newest first, as far back as the job was asked for.

        The order is theirs where none is asked for: one that is asked for is refused beyond 100 builds.
        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html
        """
        following: dict[str, str] = {}
        while True:
            reply = await self._clients.call("codebuild", "ListBuildsForProject", projectName=project, **following)
            known = await builds.look_at(self._clients, list(reply.get("ids", [])))
            for build in known:
                if build.job_id == order.job_id:
                    return build.id
            if not reply.get("nextToken") or _reaches_back(known, order):
                return None
            following = {"nextToken": str(reply["nextToken"])}

    async def _started(self, wanted: Mapping[str, Any]) -> str:
        try:
            reply = await self._clients.call_once("codebuild", "StartBuild", **wanted)
        except AwsRefusal as refusal:
            if refusal.aws_code == _FULL:
                raise Transient("aws_throttled", operation="codebuild.StartBuild") from refusal
            raise
        return str(reply["build"]["id"])

    async def _look(self, build_id: str) -> Build:
        found = await builds.look_at(self._clients, [build_id])
        if not found:
            raise Permanent("codebuild_gone", build=build_id)
        return found[0]

    async def _followed(self, build_id: str, tell: TellBuild, after: Mark) -> Build:
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

    async def _tell_news(self, build: Build, tell: TellBuild, mark: Mark) -> Mark:
        """Lines first: a phase ends after what it wrote."""
        if build.group and build.stream:
            async for page in pages(self._clients, build.group, build.stream, mark.token):
                mark = replace(mark, token=page.token)
                await tell(BuildNews(asdict(mark), lines=page.lines))
        ended = build.phases[mark.phases :]
        if ended:
            mark = replace(mark, phases=len(build.phases))
            await tell(BuildNews(asdict(mark), phases=ended))
        return mark


def _reaches_back(known: Sequence[Build], order: RemoteOrder) -> bool:
    """Whether builds from before the job was asked for are among these; of an order that does not say, all are."""
    if not known or order.asked_at_s is None:
        return True
    began = [build.began_at.timestamp() for build in known if build.began_at is not None]
    return bool(began) and min(began) < order.asked_at_s - CLOCKS_DIFFER_S


def _wanted(project: str, settings: ProjectSettings, order: RemoteOrder, address: str) -> dict[str, Any]:
    """Settings that changed since the project was made hold for the build; a project given stays as it is."""
    given = {builds.JOB_VARIABLE: order.job_id, "IMAGE_REPO": address, "IMAGE_TAG": order.tag}
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
