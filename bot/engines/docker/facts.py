"""Describes the engine for whoever checks an installation."""

from __future__ import annotations

from dataclasses import dataclass

from bot.engines.docker.api import EngineApi
from bot.engines.docker.builder import BUILDKIT, builder_kind


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the engine is and has."""

    version: str
    api_version: str
    buildkit: bool
    storage_driver: str
    operating_system: str
    cpus: int
    memory_mb: int
    cgroup_version: str
    memory_limits: bool
    pids_limits: bool
    live_restore: bool
    """Whether containers go on while the engine restarts."""


async def describe(api: EngineApi) -> EngineFacts:
    """Ask the engine about itself. Raises Transient("engine_unavailable", message) where it does not answer."""
    version, info = await api.ask("GET", "version"), await api.ask("GET", "info")
    return EngineFacts(
        version=version["Version"],
        api_version=version["ApiVersion"],
        buildkit=await builder_kind(api) == BUILDKIT,
        storage_driver=info["Driver"],
        operating_system=info["OperatingSystem"],
        cpus=info["NCPU"],
        memory_mb=info["MemTotal"] // (1024 * 1024),
        cgroup_version=info.get("CgroupVersion", "1"),
        memory_limits=info["MemoryLimit"],
        pids_limits=info["PidsLimit"],
        live_restore=info["LiveRestoreEnabled"],
    )
