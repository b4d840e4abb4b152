"""Puts the parts of the Docker engine together."""

from __future__ import annotations

from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.builder import DockerBuilder
from bot.engines.docker.registry import DockerRegistry
from bot.engines.docker.target import DockerTarget
from bot.engines.local_registry import LocalRegistry
from bot.ports.engines import Engine
from bot.ports.running import Traffic


def docker_engine(api: EngineApi, traffic: Traffic, owner: str, access: RegistryAccess | None = None) -> Engine:
    """Builder, registry and target on one engine. With no `access` images stay on it."""
    keeper = DockerRegistry(api, access) if access else LocalRegistry()
    return Engine("docker", DockerBuilder(api, owner=owner), keeper, DockerTarget(api, owner, access=access), traffic)
