"""Puts images into a registry, where one is set, and names them by digest."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.errors import EngineRefusal
from bot.errors import Permanent, ShipmateError, Transient
from bot.ports.images import BuiltImage, LogSink, PushedImage

ATTEMPTS = 4
FIRST_PAUSE_S = 0.5
_DENIED = re.compile(r"unauthorized|denied|forbidden|no basic auth|authentication required", re.IGNORECASE)
_LASTING = re.compile(r"does not exist|not found|invalid reference|name unknown|invalid", re.IGNORECASE)


class DockerRegistry:
    """A `ports.Registry` that the engine pushes to."""

    def __init__(self, api: EngineApi, access: RegistryAccess, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._api, self._access, self._first_pause_s = api, access, first_pause_s

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """Push as `prefix/repository:tag`, trying again what may pass; repeatable, layers that are there are not sent.

        Raises Permanent("registry_denied"), Permanent("push_failed", message), Permanent("image_gone", image),
        Transient("registry_unavailable").
        """
        name = f"{self._access.prefix}/{repository}"
        await self._tag(image, name, tag)
        pause_s = self._first_pause_s
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._push(name, tag, log)
            except Transient as error:
                log(f"{error.facts.get('message', error.code)}; trying again")
                await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311
                pause_s *= 2
        return await self._push(name, tag, log)

    async def _tag(self, image: BuiltImage, name: str, tag: str) -> None:
        try:
            await self._api.ask("POST", f"images/{image.id}/tag", params={"repo": name, "tag": tag})
        except EngineRefusal as refusal:
            if refusal.status == 404:
                raise Permanent("image_gone", image=image.tag) from refusal
            raise Permanent("push_failed", message=refusal.message) from refusal

    async def _push(self, name: str, tag: str, log: LogSink) -> PushedImage:
        progress = _PushProgress(log)
        headers = self._access.header()
        try:
            async with self._api.events("POST", f"images/{name}/push", params={"tag": tag}, headers=headers) as events:
                async for event in events:
                    progress.tell(event)
        except EngineRefusal as refusal:
            raise _push_failure(refusal) from refusal
        if progress.digest is None:
            raise Transient("registry_unavailable", message="the push ended without a digest")
        return PushedImage(f"{name}@{progress.digest}", name, pushed=True)


class _PushProgress:
    """One line for each layer whenever what happens to it changes."""

    def __init__(self, log: LogSink) -> None:
        self._log = log
        self._told: dict[str, str] = {}
        self.digest: str | None = None

    def tell(self, event: dict[str, Any]) -> None:
        aux = event.get("aux")
        if isinstance(aux, dict) and "Digest" in aux:
            self.digest = str(aux["Digest"])
        layer, status = str(event.get("id", "")), event.get("status")
        if status and self._told.get(layer) != status:
            self._told[layer] = str(status)
            self._log(f"{layer}: {status}" if layer else str(status))


def _push_failure(refusal: EngineRefusal) -> ShipmateError:
    if refusal.status in (401, 403) or _DENIED.search(refusal.message):
        return Permanent("registry_denied", message=refusal.message)
    if refusal.status == 404 or _LASTING.search(refusal.message):
        return Permanent("push_failed", message=refusal.message)
    return Transient("registry_unavailable", message=refusal.message)
