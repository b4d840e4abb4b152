"""Reads Python's tracebacks and syntax errors: every frame is a place, the innermost first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, Finding, Place

_FRAME = re.compile(r'(?P<margin>[ |]*)File "(?P<path>[^"]+)", line (?P<line>\d{1,7})')
_ERROR = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_FRAMES = 200


def python_trace_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """One finding for each error. Text further in than its frames' own margin is source code and passed over."""
    frames: list[Place] = []
    margin = 0
    for line in lines:
        frame = _FRAME.match(line)
        if frame:
            margin = len(frame["margin"])
            frames = [*frames[-_FRAMES:], Place(frame["path"], int(frame["line"]))]
        elif frames and len(line) - len(line.lstrip(" |")) < margin:
            error = _ERROR.match(line.lstrip(" |"))
            if error:
                yield _finding(frames, error)
            frames = []


def _finding(frames: Sequence[Place], error: re.Match[str]) -> Finding:
    name = error["name"]
    message = f"{name}: {error['message']}" if error["message"] else name
    return Finding(tuple(reversed(frames)), FAILURE, message, name.rpartition(".")[2], "python")
