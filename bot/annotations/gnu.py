"""Reads `path:line[:column]: error: message`, the form of gcc, clang, javac and mypy; and make's own errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, finding

_LINE = re.compile(
    r"(?P<path>[^:\s](?:[^:]|:(?=[\\/]))*):(?P<line>\d{1,7}):(?:\d{1,7}:)?(?:\d{1,7}:\d{1,7}:)?"
    r" (?P<level>fatal error|error|warning): (?P<message>.+)"
)
_CODE = re.compile(r"\s\[(?P<code>[\w.+=-]{2,60})\]$")
_MAKE = re.compile(r"(?P<path>[^:\s][^:]*):(?P<line>\d{1,7}): \*\*\* (?P<message>.+)Stop\.$")
_TOOLS = {".py": "mypy", ".pyi": "mypy", ".java": "javac"}


def gnu_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Errors and warnings; notes belong to what stands before them and are left out."""
    for line in lines:
        if ": " not in line:
            continue
        match = _LINE.match(line)
        if match:
            yield _finding(match)
        elif ": *** " in line and (make := _MAKE.match(line)):
            yield finding(make["path"], make["line"], FAILURE, make["message"], "make", "make")


def _finding(match: re.Match[str]) -> Finding:
    message = match["message"]
    code = _CODE.search(message)
    ending = match["path"].rpartition(".")[2]
    tool = _TOOLS.get(f".{ending}", "compiler")
    level = WARNING if match["level"] == "warning" else FAILURE
    text = message[: code.start()] if code else message
    return finding(match["path"], match["line"], level, text, code["code"] if code else tool, tool)
