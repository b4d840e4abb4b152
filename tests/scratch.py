"""Gives a run of the tests a folder in memory for all that they write: each commit of each world waits for a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bot.jobs.analysis.repositories.folders import private_folder, sweep

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30
"""What must be free there: everything that a whole run leaves until its end fits in twice."""


def scratch_in_memory() -> Path | None:
    """A new folder there, which a later run removes when this one is killed.

    None where TMPDIR says where to write, and where memory is short or runs no programs: tests write and start some.
    """
    if "TMPDIR" in os.environ or not _is_fit(MEMORY):
        return None
    sweep()
    return private_folder()


def _is_fit(place: Path) -> bool:
    if not os.access(place, os.W_OK):
        return False
    return not os.statvfs(place).f_flag & os.ST_NOEXEC and shutil.disk_usage(place).free >= ENOUGH_BYTES
