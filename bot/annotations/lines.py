"""Turns a build's log back into what each tool wrote: prefixes and colours gone, steps that ran at once apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

LINE_CHARACTERS = 1000
"""A longer line is cut: no compiler's message needs more, and every pattern stays quick."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_STEP = re.compile(r"#(\d{1,6}) (?:\d{1,7}\.\d{1,4}(?: |$))?")
_SECONDS = re.compile(r"^\d{1,7}\.\d{1,4} ")


def streams(lines: Iterable[str]) -> list[list[str]]:
    """The lines of each build step in their order; lines of no step are a stream of their own.

    Understands `docker build --progress=plain` (`#12 3.456 text`), its closing excerpt (`3.456 text`), the classic
    builder, and bare output.
    """
    by_step: dict[str, list[str]] = {}
    for line in lines:
        plain = clean(line)
        step = _STEP.match(plain)
        if step:
            by_step.setdefault(step[1], []).append(plain[step.end() :])
        else:
            by_step.setdefault("", []).append(_SECONDS.sub("", plain, count=1))
    return list(by_step.values())


def clean(line: str) -> str:
    """The line as a terminal would end up showing it, cut to a bounded length, without blanks at its end."""
    shown = _ESCAPES.sub("", line[: 4 * LINE_CHARACTERS]).rstrip("\r\n").rpartition("\r")[2]
    return _CONTROLS.sub("", shown[:LINE_CHARACTERS]).rstrip()
