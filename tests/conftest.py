"""Leaves out tests that need a Docker engine, with one sentence, where none answers; never where CI says so.

What tests write is written in memory, where the machine lends a folder there.
What collecting makes lasts to the end: the garbage collector is kept from looking through it again and again.
No generated example has a deadline: how long one takes tells more of the machine than of us.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import Generator

import pytest
from hypothesis import settings

from bot.engines.docker.api import EngineAddress, EngineApi
from bot.errors import ShipmateError
from tests.order import longest_first
from tests.scratch import scratch_in_memory

settings.register_profile("shipmate", parent=settings.default, deadline=None)
settings.load_profile("shipmate")

NO_ENGINE = "no Docker engine answers here: start one (or set DOCKER_HOST) to run the tests that need it"


def pytest_configure(config: pytest.Config) -> None:
    """Lend the whole run a folder in memory: workers, and the programs they start, find it as they find any."""
    if hasattr(config, "workerinput") or (folder := scratch_in_memory()) is None:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


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
    """Begin with what takes long; and look for an engine once, when a collected test needs one."""
    items[:] = longest_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
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
