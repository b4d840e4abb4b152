"""A world for each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engines.docker.conftest import base_image
from tests.real_world import RealWorld, real_world
from tests.world import World, new_world

__all__ = ["base_image"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with new_world() as made:
        yield made


@pytest.fixture
async def real(base_image: None) -> AsyncIterator[RealWorld]:
    async with real_world() as made:
        yield made
