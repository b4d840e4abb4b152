"""The whole way with real parts: an image in a real registry, run by digest as real containers behind the balancer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from aws.ecr import EcrRegistry, Login
from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.registry import DockerRegistry
from bot.ports.images import BuiltImage
from bot.ports.rollouts import RolloutStatus
from tests.aws.registry import DataPlane
from tests.aws.rollouts.test_rollouts import Berth, harbour
from tests.engines.docker.conftest import BASE, base_image

__all__ = ["base_image", "harbour"]

SERVER = (
    "exec python -c \"import http.server as h; h.HTTPServer(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()\""
)


@pytest.fixture
async def engine(base_image: None) -> AsyncIterator[EngineApi]:
    api = EngineApi()
    yield api
    await api.close()


@pytest.mark.docker
async def test_an_image_goes_through_the_registry_to_containers_that_serve(
    harbour: Berth, data_plane: DataPlane, engine: EngineApi
) -> None:
    def pusher(login: Login) -> DockerRegistry:
        return DockerRegistry(engine, RegistryAccess(login.host, login.username, login.password))

    built = BuiltImage((await engine.ask("GET", f"images/{BASE}/json"))["Id"], BASE)
    registry = EcrRegistry(harbour.clients, pusher, "test", host=data_plane.host)
    pushed = await registry.push(built, f"acme-{harbour.network.name}", "main-1", print)
    spec = harbour.spec("serve nothing", command=SERVER)
    spec = replace(spec, image=pushed.uri, place={**spec.place, "desired_count": 1})
    assert (await harbour.ship(spec)).status is RolloutStatus.DONE
    assert (await harbour.answers()).startswith("200 <!DOCTYPE HTML")
    await harbour.rollouts.forget(spec)
    await engine.ask("DELETE", f"images/{data_plane.host}/acme-{harbour.network.name}:main-1")
