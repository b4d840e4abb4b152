"""A real router, real targets and real clients for the tests of the router."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines.router.world import RouterWorld


@pytest.fixture
async def world() -> AsyncIterator[RouterWorld]:
    """A router of its own with one service, in a folder whose name is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="router") as folder:
        world = RouterWorld(Path(folder))
        try:
            yield world
        finally:
            await world.close()
