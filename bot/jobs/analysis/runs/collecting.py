"""Lets Python look for unused cycles less often while analyses run: they make many objects, and hardly a cycle."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 1_000_000
"""How many new objects make Python look, meanwhile; by itself it looks after 700."""

_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold()


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """For the whole process, until the last of those inside at the same time has left."""
    global _inside, _before
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = gc.get_threshold()
            gc.set_threshold(NEW_OBJECTS, *_before[1:])
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before)
