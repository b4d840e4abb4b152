"""Builds images on the Docker engine: by BuildKit where the engine has it, else by its classic builder."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import uuid
from collections.abc import AsyncIterator
from typing import Any

from bot.engines.docker.api import EngineApi
from bot.engines.docker.context import context_members
from bot.engines.docker.errors import EngineRefusal
from bot.engines.docker.failures import build_failure
from bot.engines.docker.progress import BuildKitProgress
from bot.engines.docker.tar import MEDIA_TYPE, Member, tar_stream
from bot.engines.docker.trace import IMAGE_ID, TRACE_ID, read_trace
from bot.engines.labels import BUILDER
from bot.engines.lines import LineCutter
from bot.errors import Permanent, ShipmateError
from bot.ports.images import BuildRequest, BuiltImage, LogSink

CLASSIC, BUILDKIT = "1", "2"
BUILDKIT_SINCE = (1, 39)
CANCEL_WITHIN_S = 10.0

_log = logging.getLogger("shipmate.docker")


class DockerBuilder:
    """A `ports.Builder`. The engine keeps its build cache from one build to the next.

    `kind` is `BUILDKIT` or `CLASSIC`; without it the engine is asked at the first build. `owner` marks the images as
    this installation's.
    """

    def __init__(self, api: EngineApi, kind: str | None = None, owner: str | None = None) -> None:
        self._api, self._kind, self._owner = api, kind, owner

    async def mounts_caches(self) -> bool:
        """True with BuildKit."""
        return (self._kind or await builder_kind(self._api)) == BUILDKIT

    async def build(self, request: BuildRequest, log: LogSink) -> BuiltImage:
        """Build, streaming the log. Cancelling ends the build on the engine, with all that it runs.

        Raises Permanent("build_failed", exit_code, step, message, line), Transient("base_image_unavailable") and
        Transient("engine_unavailable").
        """
        members = await asyncio.to_thread(context_members, request.context, request.dockerfile)
        if self._owner is not None:
            request = dataclasses.replace(request, labels={**request.labels, BUILDER: self._owner})
        kind = self._kind or await builder_kind(self._api)
        build = _Build(self._api, request, members, log)
        try:
            image = await build.run(kind)
        except EngineRefusal as refusal:
            if kind == CLASSIC or not _lacks_buildkit(refusal):
                raise build.failure(refusal) from refusal
            kind, image = CLASSIC, await self._classic(request, members, log)
        self._kind = kind
        return image

    async def _classic(self, request: BuildRequest, members: list[Member], log: LogSink) -> BuiltImage:
        build = _Build(self._api, request, members, log)
        try:
            return await build.run(CLASSIC)
        except EngineRefusal as refusal:
            raise build.failure(refusal) from refusal


async def builder_kind(api: EngineApi) -> str:
    """Which builder to ask for: BuildKit unless the engine says it has none, or is too old for it."""
    said = await api.ping()
    version = tuple(int(part) for part in said.get("api-version", "1.0").split("."))
    has_none = said.get("builder-version") == CLASSIC or said.get("ostype", "linux") != "linux"
    return CLASSIC if has_none or version < BUILDKIT_SINCE else BUILDKIT


def _lacks_buildkit(refusal: EngineRefusal) -> bool:
    return "buildkit" in refusal.message.lower() and (
        "not supported" in refusal.message or "disabled" in refusal.message
    )


class _Build:
    """One build under way: what was sent, and what the stream said so far."""

    def __init__(self, api: EngineApi, request: BuildRequest, members: list[Member], log: LogSink) -> None:
        self._api, self._request, self._members, self._log = api, request, members, log
        self._id = f"shipmate-{uuid.uuid4().hex}"
        self._progress = BuildKitProgress(log)
        self._plain = LineCutter()
        self._plain_step: str | None = None
        self._unsent: ShipmateError | None = None
        self._image_id: str | None = None

    async def run(self, kind: str) -> BuiltImage:
        """Send the context and follow the build to its end. Raises EngineRefusal when it fails."""
        try:
            await self._follow(kind)
        except asyncio.CancelledError:
            await asyncio.shield(self._cancel())
            raise
        except ShipmateError:
            if self._unsent is not None:
                raise self._unsent from None
            raise
        if self._image_id is None:
            raise EngineRefusal("build", 0, "the build ended without an image")
        return BuiltImage(self._image_id, self._request.tag)

    def failure(self, refusal: EngineRefusal) -> ShipmateError:
        """The refusal as the job's error."""
        dockerfile = self._request.context / self._request.dockerfile
        return build_failure(refusal, self._progress.failed_step or self._plain_step, dockerfile)

    async def _follow(self, kind: str) -> None:
        headers = {"Content-Type": MEDIA_TYPE}
        stream = self._api.events("POST", "build", params=self._parameters(kind), data=self._context(), headers=headers)
        try:
            async with stream as events:
                async for event in events:
                    self._take(event)
        finally:
            for line in self._plain.rest():
                self._log(line)

    def _parameters(self, kind: str) -> dict[str, str | int | bool]:
        request = self._request
        given: dict[str, str | int | bool] = {
            "version": kind,
            "buildid": self._id,
            "t": request.tag,
            "dockerfile": request.dockerfile,
            "labels": json.dumps(dict(request.labels)),
            "buildargs": json.dumps(dict(request.build_args)),
            "rm": True,
            "forcerm": True,
        }
        if request.memory_mb is not None:
            given["memory"] = request.memory_mb * 1024 * 1024
            given["memswap"] = given["memory"]
        return given

    async def _context(self) -> AsyncIterator[bytes]:
        """The tar; what goes wrong with it is kept, because the connection only says that it broke."""
        try:
            async for piece in tar_stream(self._members):
                yield piece
        except (ShipmateError, OSError) as error:
            message = f"the build context cannot be read: {error}"
            self._unsent = Permanent("build_failed", exit_code=None, step=None, message=message)
            raise

    def _take(self, event: dict[str, Any]) -> None:
        aux = event.get("aux")
        if event.get("id") == TRACE_ID:
            trace = read_trace(aux)
            if trace is not None:
                self._progress.tell(trace)
        elif isinstance(aux, dict) and event.get("id") in (None, IMAGE_ID):
            self._image_id = aux.get("ID", self._image_id)
        else:
            self._take_plain(str(event.get("stream") or event.get("status") or ""))

    def _take_plain(self, text: str) -> None:
        """The classic builder's stream: text in pieces, where `Step 2/4 : RUN make` begins an instruction."""
        for line in self._plain.feed(text.encode()):
            if line.startswith("Step ") and " : " in line:
                self._plain_step = line.partition(" : ")[2]
            self._log(line)

    async def _cancel(self) -> None:
        """Hanging up ends a build already; an engine that waits for the answer to be written is told as well."""
        try:
            await self._api.ask("POST", "build/cancel", params={"id": self._id}, within_s=CANCEL_WITHIN_S)
        except ShipmateError as error:
            _log.debug("the build was gone already", extra={"code": error.code})
