"""Runs a command to its end in a process group of its own, its output going to a log."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.engines.lines import LineCutter
from bot.ports.images import LogSink


async def run_child(words: Sequence[str], folder: Path, env: Mapping[str, str], log: LogSink) -> int:
    """The exit code; 128 and the signal's number for one that was killed. Cancelling kills the whole group."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        await _follow(process, log)
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
    return code if code >= 0 else 128 - code


async def _follow(process: asyncio.subprocess.Process, log: LogSink) -> None:
    assert process.stdout is not None
    cutter = LineCutter()
    while data := await process.stdout.read(65536):
        for line in cutter.feed(data):
            log(line)
    for line in cutter.rest():
        log(line)


def plain_environment(home: Path, path: Sequence[Path] = ()) -> dict[str, str]:
    """What a process gets: nothing of the server's own environment, where secrets are."""
    interpreter = Path(sys.base_prefix) / "bin"
    places = [*map(str, path), str(interpreter), "/usr/local/bin", *os.defpath.split(os.pathsep)]
    return {"PATH": os.pathsep.join(places), "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108
