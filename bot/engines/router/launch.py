"""Makes sure a router runs, and goes on running: the router outlives whoever starts it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bot
from bot.engines.router.client import RouterClient
from bot.engines.router.fingerprint import fingerprint
from bot.engines.router.settings import RouterSettings, to_arguments
from bot.engines.router.supervisor import PROGRAM
from bot.errors import Permanent, ShipmateError, Transient

START_WITHIN_S = 15.0
LOOK_AGAIN_S = 0.01
WATCH_AGAIN_S = 0.2
LONGEST_SOCKET_PATH_BYTES = 90


async def ensure_running(settings: RouterSettings) -> RouterClient:
    """A client of the one router of `settings`, started if need be; many may call at once, and one is started.

    A router whose code is older or newer than ours is told to reload, which loses no connection. One that runs keeps
    the settings it was started with. Raises Permanent `socket_path_too_long`, Transient `router_did_not_start`.
    """
    if len(os.fsencode(settings.socket)) > LONGEST_SOCKET_PATH_BYTES:
        raise Permanent("socket_path_too_long", socket=str(settings.socket), limit_bytes=LONGEST_SOCKET_PATH_BYTES)
    client = RouterClient(settings.socket)
    running = await _fingerprint(settings) or await _started(settings)
    if running != await asyncio.to_thread(fingerprint):
        await client.reload()
    return client


async def watch(settings: RouterSettings) -> None:
    """Start the router again as soon as it is gone, until cancelled."""
    while True:
        try:
            client = await ensure_running(settings)
            await client.gone()
        except Transient:
            await asyncio.sleep(WATCH_AGAIN_S)


async def _fingerprint(settings: RouterSettings) -> str | None:
    """What the running router runs; None when there is none. One that restarts is waited for."""
    try:
        return (await RouterClient(settings.socket, patience_s=0).status()).fingerprint
    except ShipmateError:
        return None


async def _started(settings: RouterSettings) -> str:
    """Start the router unless someone else just did, and wait until it answers. Raises Transient."""
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with asyncio.timeout(START_WITHIN_S):
            return await _started_by_one(settings)
    except (OSError, TimeoutError) as error:
        log_path = str(settings.state_dir / "router.log")
        raise Transient("router_did_not_start", log=log_path, reason=str(error)) from error


async def _started_by_one(settings: RouterSettings) -> str:
    launched = False
    while (running := await _fingerprint(settings)) is None:
        with _turn(settings.state_dir / "launch.lock") as ours:
            if ours and not launched:
                await _spawn(settings)
                launched = True
            await asyncio.sleep(LOOK_AGAIN_S)
    return running


@contextmanager
def _turn(path: Path) -> Iterator[bool]:
    """Whether it is our turn to start the router; others see False meanwhile. Freed by any death."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


async def _spawn(settings: RouterSettings) -> None:
    """Start the router in a session of its own. It gets none of our environment, where secrets are."""
    with (settings.state_dir / "router.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAM, *to_arguments(settings), "--detach"),
            cwd=Path(bot.__file__).parent.parent,
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        await process.wait()
