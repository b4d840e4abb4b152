"""A real server in a process of its own, set up by nothing but its environment, beside the simulators."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ShipmateError
from bot.sandbox.sandbox import Sandbox

READY = "shipmate is ready: "
READY_LIMIT_S = 30.0
END_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready: its address, its process id, and seconds from its start until it was ready."""

    address: str
    pid: int
    start_s: float


def server_environment(
    folder: Path, sandbox: Sandbox, *, owner: str, port: int = 0, base_registry: str | None = None
) -> dict[str, str]:
    """What an ordinary `shipmate serve` is set up with, everything of it in `folder`.

    `owner` marks what it starts on the engine; port 0 is any free one.
    """
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    given = {
        "HOME": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/shipmate.db",
        "SHIPMATE_WORKDIR": str(folder / "work"),
        "SHIPMATE_ROUTER_DIR": str(folder / "router"),
        "SHIPMATE_SECRET_KEY": os.urandom(32).hex(),
        "SHIPMATE_OWNER": owner,
        "PORT": str(port),
    }
    registry = {"SHIPMATE_BASE_REGISTRY": base_registry} if base_registry else {}
    return {**kept, **sandbox.environment(), **given, **registry}


@asynccontextmanager
async def serving(environment: Mapping[str, str], log: Path, *, look_s: float = 0.05) -> AsyncIterator[Server]:
    """Start it and wait until it says that it is ready; ended with SIGTERM, and killed where that is not heeded.

    What it writes goes into `log`, which is looked at each `look_s`. Raises ShipmateError("server_not_ready").
    """
    with log.open("wb") as out:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        address = await _ready(process, log, look_s)
        yield Server(address, process.pid, time.perf_counter() - began)
    finally:
        await _end(process)


async def _ready(process: asyncio.subprocess.Process, log: Path, look_s: float) -> str:
    """The address the server says it is ready at."""
    until = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until and process.returncode is None:
        for line in _written(log).splitlines(keepends=True):
            if line.startswith(READY) and line.endswith("\n"):
                return line.removeprefix(READY).strip()
        await asyncio.sleep(look_s)
    raise ShipmateError("server_not_ready", log=_written(log)[-2000:])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _written(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
