"""Stands where a server has no engine to build images with, and says so to the deployment that wants one."""

from __future__ import annotations

from bot.errors import Permanent
from bot.ports.images import BuildRequest, BuiltImage, LogSink

_WANTED = "docker"


class AbsentBuilder:
    """A `ports.Builder` that builds nothing: every call raises Permanent("builder_missing")."""

    async def mounts_caches(self) -> bool:
        raise Permanent("builder_missing", builder=_WANTED)

    async def build(self, request: BuildRequest, log: LogSink) -> BuiltImage:
        raise Permanent("builder_missing", builder=_WANTED)


async def forget_nothing(image: str) -> None:
    """Where nothing is built there is no image to remove."""
