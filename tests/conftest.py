"""Leaves out tests that need a Docker engine, with one sentence, where none answers; never where CI says so.

What collecting makes lasts to the end: the garbage collector is kept from looking through it again and again.
No generated example has a deadline: how long one takes tells more of the machine than of us.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from bot.engines.docker.api import EngineAddress, EngineApi
from bot.errors import ShipmateError

settings.register_profile("shipmate", parent=settings.default, deadline=None)
settings.load_profile("shipmate")

NO_ENGINE = "no Docker engine answers here: start one (or set DOCKER_HOST) to run the tests that need it"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have the garbage collector look once at the end, and at nothing of this afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look for an engine once, when a collected test needs one."""
    needing = [item for item in items if item.get_closest_marker("docker")]
    if needing and os.environ.get("CI") != "true" and not asyncio.run(_engine_answers()):
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=NO_ENGINE))


async def _engine_answers() -> bool:
    given = os.environ.get("DOCKER_HOST")
    engine = EngineApi(EngineAddress(given) if given else None)
    try:
        await engine.ask("GET", "version")
    except ShipmateError:
        return False
    finally:
        await engine.close()
    return True
