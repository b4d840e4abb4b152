"""Runs instances as containers of the Docker engine; touches none that this installation did not make."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import ANSWER_S, EngineApi
from bot.engines.docker.container import (
    Address,
    config_again,
    container_config,
    port_is_taken,
    read_instance,
    served_at,
)
from bot.engines.docker.errors import EngineRefusal
from bot.engines.docker.images import forget_image, pull_image
from bot.engines.docker.output import written_lines
from bot.engines.free_ports import free_port
from bot.engines.labels import OWNER, SPEC, spec_hash
from bot.errors import Permanent, ShipmateError
from bot.ports.images import LogSink
from bot.ports.running import Instance, InstanceSpec

PORT_TRIES = 10
NOT_THERE, IN_THE_WAY = 404, 409

_log = logging.getLogger("shipmate.docker")


class DockerTarget:
    """A `ports.Target`. `owner` marks this installation's containers; ports are published on `publish_host` only.

    Every method raises Transient("engine_unavailable") while the engine does not answer.
    """

    name = "docker"

    def __init__(
        self,
        api: EngineApi,
        owner: str,
        *,
        access: RegistryAccess | None = None,
        publish_host: str = "127.0.0.1",
    ) -> None:
        self._api, self._owner, self._access, self._publish_host = api, owner, access, publish_host

    async def start(self, spec: InstanceSpec) -> Instance:
        """Create and start, or find what an earlier attempt with the same spec left; a different one is replaced.

        The port it is published at is chosen here and is its own for good: after a restart of the engine or of the
        container, those who send requests there find it again. Raises Permanent("start_failed", message) and
        Permanent("image_gone", image).
        """
        found = await self._details(spec.name)
        if found is not None and found["Config"]["Labels"].get(SPEC) == spec_hash(spec):
            return await self.wake(found["Id"])
        await self.remove(spec.name)
        with _start_failures():
            return await self._serve(spec.name, container_config(spec, self._owner))

    async def wake(self, instance_id: str) -> Instance:
        """Start a stopped instance again at its port; where that was taken meanwhile, it is made again at another.

        Raises Permanent("instance_gone", instance), Permanent("start_failed", message).
        """
        details = await self._details(instance_id)
        if details is None:
            raise Permanent("instance_gone", instance=instance_id)
        with _start_failures():
            try:
                await self._run(details["Id"])
            except EngineRefusal as refusal:
                if not port_is_taken(refusal):
                    raise
                await self._delete(details["Id"])
                return await self._serve(details["Name"].removeprefix("/"), config_again(details))
        return await self._known(details["Id"])

    async def look(self, instance_id: str) -> Instance | None:
        """What it is now, by id or name; None when there is none, or when it is not ours."""
        details = await self._details(instance_id)
        return read_instance(details) if details else None

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """SIGTERM, after `grace_s` seconds SIGKILL. It stays stopped, also over a restart of the engine."""
        details = await self._details(instance_id)
        if details is None:
            return
        params, within_s = {"t": math.ceil(grace_s)}, grace_s + ANSWER_S
        with _gone_is_fine():
            await self._api.ask("POST", f"containers/{details['Id']}/stop", params=params, within_s=within_s)

    async def remove(self, instance_id: str) -> None:
        """End it at once and forget it, with its anonymous volumes."""
        details = await self._details(instance_id)
        if details is not None:
            await self._delete(details["Id"])

    async def output(self, instance_id: str, lines: int) -> list[str]:
        """The last lines it wrote to standard output and error."""
        details = await self._details(instance_id)
        if details is None:
            return []
        params = {"stdout": True, "stderr": True, "tail": lines}
        async with self._api.stream("GET", f"containers/{details['Id']}/logs", params=params) as reply:
            return [line async for line in written_lines(reply)][-lines:]

    async def owned(self) -> list[Instance]:
        """Every container of this installation, running or not."""
        filters = json.dumps({"label": [f"{OWNER}={self._owner}"]})
        rows = await self._api.ask("GET", "containers/json", params={"all": True, "filters": filters})
        found = [await self._details(row["Id"]) for row in rows]
        return [read_instance(details) for details in found if details is not None]

    async def run_once(self, spec: InstanceSpec, log: LogSink) -> int:
        """Run to its end, streaming what it writes, and remove it; what an earlier attempt left is removed first.

        Raises Permanent("start_failed", message), Permanent("image_gone", image).
        """
        await self.remove(spec.name)
        with _start_failures():
            container_id = await self._created(spec.name, container_config(spec, self._owner))
        try:
            await self._run_attached(container_id, log)
            ended = await self._known(container_id)
            return ended.exit_code if ended.exit_code is not None else -1
        finally:
            await _to_its_end(self._delete(container_id))

    async def remove_image(self, image: str) -> None:
        """Forget an image, with all its tags; one that a container was made from is left to a later call."""
        await forget_image(self._api, image)

    async def _run_attached(self, container_id: str, log: LogSink) -> None:
        """Start and listen until it ends. Following its log instead would at times miss the last lines."""
        path, params = f"containers/{container_id}", {"stream": True, "stdout": True, "stderr": True}
        async with self._api.stream("POST", f"{path}/attach", params=params) as reply:
            with _start_failures():
                await self._run(container_id)
            async for line in written_lines(reply):
                log(line)
        async with self._api.stream("POST", f"{path}/wait") as reply:
            await reply.read()

    async def _serve(self, name: str, config: Mapping[str, Any]) -> Instance:
        """Create and start at a free port; someone else may take that between our look and the start."""
        for _ in range(PORT_TRIES):
            address = Address(self._publish_host, free_port(self._publish_host))
            container_id = await self._created(name, served_at(config, address))
            try:
                await self._run(container_id)
            except EngineRefusal as refusal:
                await self._delete(container_id)
                if not port_is_taken(refusal):
                    raise
            else:
                return await self._known(container_id)
        raise Permanent("start_failed", message="no free port was found for it")

    async def _created(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container; an image that is not here is pulled first. Answers its id."""
        try:
            return await self._create(name, config)
        except EngineRefusal as refusal:
            if refusal.status != NOT_THERE:
                raise
        await pull_image(self._api, config["Image"], self._access)
        return await self._create(name, config)

    async def _create(self, name: str, config: Mapping[str, Any]) -> str:
        reply = await self._api.ask("POST", "containers/create", params={"name": name}, body=config)
        return str(reply["Id"])

    async def _run(self, container_id: str) -> None:
        await self._api.ask("POST", f"containers/{container_id}/start")

    async def _delete(self, container_id: str) -> None:
        with _gone_is_fine():
            await self._api.ask("DELETE", f"containers/{container_id}", params={"force": True, "v": True})

    async def _known(self, container_id: str) -> Instance:
        found = await self.look(container_id)
        if found is None:
            raise Permanent("instance_gone", instance=container_id)
        return found

    async def _details(self, instance_id: str) -> dict[str, Any] | None:
        """All the engine knows of a container of ours; None when there is none, or it is another's."""
        try:
            details: dict[str, Any] = await self._api.ask("GET", f"containers/{quote(instance_id, safe='')}/json")
        except EngineRefusal as refusal:
            if refusal.status == NOT_THERE:
                return None
            raise
        return details if (details["Config"].get("Labels") or {}).get(OWNER) == self._owner else None


@contextmanager
def _start_failures() -> Iterator[None]:
    """A refusal to create or start is the job's failure to start."""
    try:
        yield
    except EngineRefusal as refusal:
        raise Permanent("start_failed", message=refusal.message) from refusal


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Nothing there to end, or its removal is under way: what was asked for is done."""
    try:
        yield
    except EngineRefusal as refusal:
        if refusal.status not in (NOT_THERE, IN_THE_WAY):
            raise


async def _to_its_end(tidying: Coroutine[Any, Any, None]) -> None:
    """Tidy up even while the task is being cancelled. A failure is logged: another one is on its way up."""
    try:
        await asyncio.shield(tidying)
    except ShipmateError as error:
        _log.warning("a container is left over", extra={"code": error.code})
