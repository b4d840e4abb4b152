"""Writes made-up trees into the private object store, where git compares them like any others."""

from __future__ import annotations

import hashlib
import threading
import zlib
from binascii import unhexlify
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FOLDER = b"40000"
"""The mode of a tree inside a tree, as tree objects spell it."""


class Entry(NamedTuple):
    """One name in a tree, in git's own spelling of modes (`100644`, `40000`); `oid` is hexadecimal."""

    mode: bytes
    name: bytes
    oid: bytes


class ScratchTrees:
    """Makes tree objects, for several threads at once.

    The blobs they name need not exist here: they are borrowed, and git looks them up late.
    """

    def __init__(self, objects: Path, *, sha256: bool) -> None:
        self._objects = objects
        self._hash = hashlib.sha256 if sha256 else hashlib.sha1
        self._fan_out: set[str] = set()

    def write(self, entries: Iterable[Entry]) -> bytes:
        """Store a tree of entries sorted as git sorts them, and return its id; writing one again changes nothing.

        Source: the loose object format, gitformat-loose(5): zlib over `tree SIZE NUL`, then `MODE NAME NUL ID` each.
        """
        return self._store(b"".join([b"%s %s\0%s" % (mode, name, unhexlify(oid)) for mode, name, oid in entries]))

    def write_stored(self, entries: Iterable[bytes]) -> bytes:
        """The same for entries that are spelled already as they are stored: `MODE NAME NUL`, and the id's bytes."""
        return self._store(b"".join(entries))

    def _store(self, body: bytes) -> bytes:
        """A file appears whole, and is left alone from then on: another thread's git may be reading it."""
        stored = b"tree %d\0%s" % (len(body), body)
        oid = self._hash(stored).hexdigest()
        folder = oid[:2]
        if folder not in self._fan_out:
            (self._objects / folder).mkdir(exist_ok=True)
            self._fan_out.add(folder)
        place = self._objects / folder / oid[2:]
        if not place.exists():
            fresh = self._objects / f"{threading.get_ident()}.new"
            fresh.write_bytes(zlib.compress(stored, 0))
            fresh.replace(place)
        return oid.encode()
