"""Reads rustc, cargo and clippy, and the panics of Rust's tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, finding

_SAID = re.compile(r"(?P<level>error|warning)(?:\[(?P<code>[\w:]+)\])?: (?P<message>.+)")
_ARROW = re.compile(r" *--> (?P<path>[^:]+\.rs):(?P<line>\d{1,7}):\d{1,7}$")
_PANIC = re.compile(r"thread '(?P<thread>[^']*)'(?: \(\d+\))? panicked at (?P<path>[^:']+):(?P<line>\d{1,7}):\d{1,7}:$")
_OLD_PANIC = re.compile(
    r"thread '(?P<thread>[^']*)' panicked at '(?P<message>.*)', (?P<path>[^:']+):(?P<line>\d{1,7}):\d{1,7}$"
)


def rust_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Each diagnostic at its first place, and each panic."""
    said: re.Match[str] | None = None
    for number, line in enumerate(lines):
        if first := _SAID.match(line):
            said = first
        elif said and (arrow := _ARROW.match(line)):
            yield _diagnostic(said, arrow)
            said = None
        elif line.startswith("thread '"):
            yield from _panic(line, lines[number + 1 : number + 2])


def _diagnostic(said: re.Match[str], arrow: re.Match[str]) -> Finding:
    level = WARNING if said["level"] == "warning" else FAILURE
    return finding(arrow["path"], arrow["line"], level, said["message"], said["code"] or "rustc", "rustc")


def _panic(line: str, after: Sequence[str]) -> Iterator[Finding]:
    old, new = _OLD_PANIC.match(line), _PANIC.match(line)
    if old:
        yield finding(old["path"], old["line"], FAILURE, old["message"], old["thread"], "cargo test")
    elif new:
        message = after[0] if after and after[0] else "panicked"
        yield finding(new["path"], new["line"], FAILURE, message, new["thread"], "cargo test")
