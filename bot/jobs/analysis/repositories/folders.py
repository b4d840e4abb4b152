"""Owns the private folders of analyses: in memory where the system has a tmpfs, and removed when their process died."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.process.identity import is_dead, this_worker

PREFIX = "shipmate-"
_OWNER = "owner"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a tmpfs of the system; the folder in it is made by mkdtemp
ENOUGH_BYTES = 256 << 20
"""What must be free there: the made-up trees of the largest histories fit in, and containers often have 64 MiB."""


def private_folder() -> Path:
    """A new folder of this process alone. Raises OSError where there is no room, and leaves nothing then."""
    return _made(_place())


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """A new folder of this process alone for what memory has no room for, until the block ends. Raises OSError."""
    folder = _made(None)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(place: Path | None) -> Path:
    """Where files for a while are kept if no place is named, with the name of whose it is in it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        (folder / _OWNER).write_text(this_worker(), "utf-8")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def sweep() -> int:
    """Remove what processes that died left behind; answers how many folders. May run beside analyses."""
    places = {_MEMORY, Path(tempfile.gettempdir())}
    left = [folder for place in places for folder in place.glob(f"{PREFIX}*") if _is_left(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _place() -> Path | None:
    """Memory where there is room, else the folder for temporary files (None)."""
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= ENOUGH_BYTES
    return _MEMORY if has_room else None


def _is_left(folder: Path) -> bool:
    try:
        return is_dead((folder / _OWNER).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
