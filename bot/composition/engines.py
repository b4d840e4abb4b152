"""Opens the engines a server has, its own first: each with builder, registry, target and the router's traffic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.config import Settings
from bot.engines.docker.api import EngineAddress, EngineApi
from bot.engines.docker.engine import docker_engine
from bot.engines.router.client import RouterClient
from bot.engines.traffic import RouterTraffic
from bot.ports.engines import Engine


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[dict[str, Engine]]:
    """By target name. Nothing is asked of an engine yet: one that does not answer is a passing fault of a job."""
    traffic = RouterTraffic(RouterClient(settings.router.socket))
    if settings.engine == "process":
        from bot.engines.process.engine import process_engine

        yield {"process": process_engine(settings.workdir / "process", traffic, settings.owner)}
        return
    api = EngineApi(EngineAddress(settings.docker_host) if settings.docker_host else None)
    try:
        yield {"docker": docker_engine(api, traffic, settings.owner, settings.registry)}
    finally:
        await api.close()
