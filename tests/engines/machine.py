"""The processes of this machine, those in containers too."""

from __future__ import annotations

from pathlib import Path


def command_lines() -> dict[int, bytes]:
    """By process number: its arguments, each ended by a zero byte."""
    found: dict[int, bytes] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(path.parent.name)] = path.read_bytes()
        except OSError:
            continue
    return found


def processes_with(words: str) -> list[int]:
    """The numbers of those whose arguments hold these words."""
    return [pid for pid, line in command_lines().items() if words.encode() in line]
