"""What the engine tells about itself."""

from __future__ import annotations

import pytest

from bot.engines.docker.api import EngineApi
from bot.engines.docker.facts import describe
from bot.engines.docker.images import can_pull

pytestmark = pytest.mark.docker


async def test_the_engine_is_described_to_whoever_checks_an_installation(api: EngineApi) -> None:
    facts = await describe(api)
    assert facts.version
    assert tuple(map(int, facts.api_version.split("."))) >= (1, 39)
    assert facts.buildkit
    assert facts.cpus >= 1
    assert facts.memory_mb > 100


async def test_a_registry_that_cannot_be_reached_has_nothing_to_pull(api: EngineApi) -> None:
    assert not await can_pull(api, "127.0.0.1:1/nothing:1", within_s=2)
