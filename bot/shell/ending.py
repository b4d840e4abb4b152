"""Lets a command end as on Ctrl-C when it is told to: by `timeout`, by a CI that cancels, by a terminal that closes."""

from __future__ import annotations

import signal
import sys
from types import FrameType

TOLD = (signal.SIGTERM, signal.SIGHUP)


def end_orderly() -> None:
    """From now on such a signal ends the program by SystemExit, so that what runs stops its processes and removes what
    it wrote. One that is ignored, as under `nohup`, stays so."""
    for number in TOLD:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    """Once: a second signal is no reason to leave things half removed. The exit code is the one shells give it."""
    for told in TOLD:
        signal.signal(told, signal.SIG_IGN)
    sys.exit(128 + number)
