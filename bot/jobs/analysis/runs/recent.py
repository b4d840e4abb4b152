"""Keeps the lines of versions that were wanted lately, within a size; the least recently used go."""

from __future__ import annotations

from collections import OrderedDict

RECENT_BYTES = 8 << 20


class Recent:
    """Lines by node, as the bytes of an array of commit numbers."""

    def __init__(self, capacity: int = RECENT_BYTES) -> None:
        self._capacity = capacity
        self._size = 0
        self._lines: OrderedDict[int, bytes] = OrderedDict()

    def __contains__(self, node: int) -> bool:
        return node in self._lines

    def get(self, node: int) -> bytes | None:
        """A node's lines, which then were used last; None where they are not kept."""
        lines = self._lines.get(node)
        if lines is not None:
            self._lines.move_to_end(node)
        return lines

    def put(self, node: int, lines: bytes) -> None:
        """Keep a node's lines, and let go of others if they are too many."""
        self._size += len(lines) - len(self._lines.pop(node, b""))
        self._lines[node] = lines
        while self._size > self._capacity:
            self._size -= len(self._lines.popitem(last=False)[1])
