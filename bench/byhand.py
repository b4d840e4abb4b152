"""The peer of the deploy bench: build, run and check one version as a person would, over the engine's own API."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from bot.engines.docker.api import EngineApi
from bot.engines.docker.builder import DockerBuilder
from bot.engines.docker.container import Address, container_config, served_at
from bot.engines.docker.images import forget_image
from bot.engines.free_ports import free_port
from bot.jobs.deploy.watching.health import CHECKS_AFTER, probe, wait_until_well
from bot.ports.images import BuildRequest
from bot.ports.running import InstanceSpec
from bot.repo_config.config import EnvironmentConfig

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ByHand:
    """Seconds of each step."""

    build_s: float
    run_s: float
    well_s: float
    checks_s: float
    """The checks a deployment makes before it switches."""
    checks_after_s: float
    """Those it makes once more after that."""

    @property
    def total_s(self) -> float:
        """All steps, one after another."""
        return self.build_s + self.run_s + self.well_s + self.checks_s + self.checks_after_s


async def deploy_by_hand(
    api: EngineApi, context: Path, settings: EnvironmentConfig, every_s: float, build_args: dict[str, str]
) -> ByHand:
    """`docker build`, `docker run` with the same limits, wait until it answers, then the same checks as a deployment
    makes: those before the switch and those after it. Everything is removed again, outside the measured time.
    """
    name = f"by-hand-{uuid.uuid4().hex[:10]}"
    marks = [time.perf_counter()]
    request = BuildRequest(context=context, dockerfile="Dockerfile", tag=f"{name}:1", build_args=build_args)
    image = await DockerBuilder(api).build(request, lambda _: None)
    marks.append(time.perf_counter())
    port = free_port(HOST)
    container = await _run(api, name, image.id, port, settings)
    marks.append(time.perf_counter())
    try:
        await _well(port, settings)
        marks.append(time.perf_counter())
        for checks in (settings.checks, CHECKS_AFTER):
            await _check(port, settings.health, checks, every_s)
            marks.append(time.perf_counter())
    finally:
        await api.ask("DELETE", f"containers/{container}", params={"force": True, "v": True})
        await forget_image(api, image.id)
    return ByHand(*(after - before for before, after in itertools.pairwise(marks)))


async def _run(api: EngineApi, name: str, image: str, port: int, settings: EnvironmentConfig) -> str:
    spec = InstanceSpec(
        name=name,
        image=image,
        service="by-hand",
        job_id=name,
        port=settings.port or 8080,
        env=settings.env,
        command=settings.command,
        memory_mb=settings.memory_mb,
        cpus=settings.cpus,
        pids=settings.pids,
        read_only=bool(settings.read_only),
        labels={},
    )
    config = served_at(container_config(spec, name), Address(HOST, port))
    made = await api.ask("POST", "containers/create", params={"name": name}, body=config)
    await api.ask("POST", f"containers/{made['Id']}/start")
    return str(made["Id"])


async def _well(port: int, settings: EnvironmentConfig) -> None:
    seen = await wait_until_well(lambda: probe(HOST, port, settings.health), settings.health_timeout_s)
    if not seen.passed:
        raise RuntimeError(f"it never became well: {seen.why}")


async def _check(port: int, path: str, checks: int, every_s: float) -> None:
    for number in range(checks):
        if number:
            await asyncio.sleep(every_s)
        seen = await probe(HOST, port, path)
        if not seen.passed:
            raise RuntimeError(f"a check failed: {seen.why}")
