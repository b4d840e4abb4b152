"""Writes a tar bit by bit, as fast as the engine takes it, reading files in a thread and never following a link."""

from __future__ import annotations

import asyncio
import os
import stat
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Permanent

CHUNK_BYTES = 256 * 1024
MEDIA_TYPE = "application/x-tar"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: its head, and where a file's content comes from."""

    head: tarfile.TarInfo
    content: Path | bytes = b""


def member_of(path: Path, name: str, status: os.stat_result) -> Member:
    """The file, folder or link at `path`, as `lstat` said it is, under a name of the archive's own."""
    head = tarfile.TarInfo(name)
    head.mode, head.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    if stat.S_ISDIR(status.st_mode):
        head.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        head.type, head.linkname = tarfile.SYMTYPE, str(path.readlink())
    else:
        head.size = status.st_size
        return Member(head, path)
    return Member(head)


async def tar_stream(members: Iterable[Member]) -> AsyncIterator[bytes]:
    """The archive in pieces of about `CHUNK_BYTES`. Raises Permanent("file_changed", name), OSError."""
    pieces = tar_pieces(members)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def tar_pieces(members: Iterable[Member]) -> Iterator[bytes]:
    """The same, without a thread."""
    held = bytearray()
    for member in members:
        for part in _parts(member):
            held += part
            if len(held) >= CHUNK_BYTES:
                yield bytes(held)
                held.clear()
    held += bytes(tarfile.BLOCKSIZE * 2)
    yield bytes(held)


def _parts(member: Member) -> Iterator[bytes]:
    yield member.head.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    if isinstance(member.content, bytes):
        yield member.content
    else:
        yield from _file_parts(member.content, member.head.size)
    yield bytes(-member.head.size % tarfile.BLOCKSIZE)


def _file_parts(path: Path, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes: the head has named the size already."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        left = size
        while left:
            part = file.read(min(left, CHUNK_BYTES))
            if not part:
                raise Permanent("file_changed", name=path.name)
            left -= len(part)
            yield part
