"""Looks at what else runs on this machine."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

GONE_WITHIN_S = 20.0


def at_work(named: bytes) -> list[bytes]:
    """Command lines of the processes that name something, such as a folder or an address of a test's own."""
    lines = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            lines.append(place.read_bytes())
    return [line for line in lines if named in line]


def gone(named: bytes) -> bool:
    """Whether they end, as those do that were just killed: waits a while for the last."""
    latest = time.monotonic() + GONE_WITHIN_S
    while at_work(named):
        if time.monotonic() > latest:
            return False
        time.sleep(0.02)
    return True
