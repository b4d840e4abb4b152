"""Sends a build context as a tar, bit by bit: what `.dockerignore` keeps, links as links, nothing from outside it."""

from __future__ import annotations

import asyncio
import os
import stat
import tarfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.engines.docker.ignore import IgnoreRules
from bot.errors import Permanent

IGNORE_FILE = ".dockerignore"
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to send: its path relative to the context, and what `lstat` said of it."""

    path: str
    status: os.stat_result


def context_entries(context: Path, dockerfile: str) -> list[Entry]:
    """Folders, files and links to send, in the order of their names; sockets, pipes and devices are left out.

    No link is followed. Raises Permanent("build_failed") for an ignore file that cannot be read as one.
    """
    rules = IgnoreRules(_ignore_text(context, dockerfile), always=(dockerfile, IGNORE_FILE))
    found: list[Entry] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        for item in sorted(os.scandir(context / folder), key=lambda one: one.name):
            path = f"{folder}/{item.name}" if folder else item.name
            left_out = rules.leaves_out(path)
            status = item.stat(follow_symlinks=False)
            if not left_out and _can_be_sent(status):
                found.append(Entry(path, status))
            if item.is_dir(follow_symlinks=False) and not (left_out and rules.leaves_out_all_below(path)):
                folders.append(path)
    return found


def _ignore_text(context: Path, dockerfile: str) -> str:
    """The ignore file of this Dockerfile, else that of the context; a link is not followed."""
    for name in (f"{dockerfile}{IGNORE_FILE}", IGNORE_FILE):
        path = context / name
        if path.is_file() and not path.is_symlink():
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _can_be_sent(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)


async def send_context(context: Path, entries: list[Entry]) -> AsyncIterator[bytes]:
    """The tar of these entries in pieces of about `CHUNK_BYTES`; read in a thread, only as fast as it is taken."""
    pieces = tar_pieces(context, entries)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def tar_pieces(context: Path, entries: list[Entry]) -> Iterator[bytes]:
    """The same, at once: whole pieces, and the archive's end."""
    held = bytearray()
    for entry in entries:
        for part in _entry_parts(context, entry):
            held += part
            if len(held) >= CHUNK_BYTES:
                yield bytes(held)
                held.clear()
    held += bytes(tarfile.BLOCKSIZE * 2)
    yield bytes(held)


def _entry_parts(context: Path, entry: Entry) -> Iterator[bytes]:
    info = tarfile.TarInfo(entry.path)
    info.mode = stat.S_IMODE(entry.status.st_mode)
    info.mtime = int(entry.status.st_mtime)
    if stat.S_ISDIR(entry.status.st_mode):
        info.type = tarfile.DIRTYPE
        yield _head(info)
    elif stat.S_ISLNK(entry.status.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, str((context / entry.path).readlink())
        yield _head(info)
    else:
        info.size = entry.status.st_size
        yield _head(info)
        yield from _content(context / entry.path, info.size)


def _head(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(path: Path, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes of a file, filled up to a whole block. Raises Permanent when the file changed meanwhile."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _changed(path) from error
    with os.fdopen(number, "rb") as file:
        left = size
        while left:
            part = file.read(min(left, CHUNK_BYTES))
            if not part:
                raise _changed(path)
            left -= len(part)
            yield part
    yield bytes(-size % tarfile.BLOCKSIZE)


def _changed(path: Path) -> Permanent:
    return Permanent("build_failed", exit_code=None, step=None, message=f"{path.name} changed while it was sent")
