"""Measures what is kept on disk, of which other processes may remove something at any moment."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder; of one that another process removes meanwhile, what was seen of it."""
    return sum(map(file_bytes, folder.rglob("*")))


def file_bytes(path: Path) -> int:
    """The size of a file; 0 for what is none, or is gone."""
    found = _look_at(path)
    return found.st_size if found and stat.S_ISREG(found.st_mode) else 0


def last_used(path: Path) -> float:
    """When a file or folder was changed last, in seconds since 1970; 0 for one that is gone."""
    found = _look_at(path)
    return found.st_mtime if found else 0.0


def _look_at(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None
