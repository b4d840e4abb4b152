"""Cuts the bytes a program writes into lines for a log, whatever it writes: no line end, no UTF-8, no end at all."""

from __future__ import annotations

LONGEST_LINE_BYTES = 4096
_CUT = " …"


class LineCutter:
    """Collects one stream. Holds at most one line of `LONGEST_LINE_BYTES`; what a line has beyond that is dropped.

    A carriage return starts the line over, as a terminal shows it, so that a progress bar ends as one line.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._cut = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, rest = data.split(b"\n")
        lines = []
        for part in whole:
            self._add(part)
            lines.append(self._taken())
        self._add(rest)
        return lines

    def rest(self) -> list[str]:
        """What was written after the last line end: one line, or none."""
        return [self._taken()] if self._line else []

    def _add(self, part: bytes) -> None:
        kept = part[: LONGEST_LINE_BYTES + 1 - len(self._line)] if b"\r" not in part else part
        self._line += kept
        if b"\r" in self._line:
            self._line = _shown(self._line)
        self._cut = self._cut or len(kept) < len(part) or len(self._line) > LONGEST_LINE_BYTES
        del self._line[LONGEST_LINE_BYTES:]

    def _taken(self) -> str:
        text = bytes(self._line.rstrip(b"\r")).decode("utf-8", errors="replace")
        text += _CUT if self._cut else ""
        self._line.clear()
        self._cut = False
        return text


def _shown(line: bytearray) -> bytearray:
    """What stands after the last carriage return that something follows; one at the very end is kept for `\\r\\n`."""
    ends = line.endswith(b"\r")
    last = bytes(line.rstrip(b"\r")).rpartition(b"\r")[2]
    return bytearray(last + b"\r" if ends else last)
