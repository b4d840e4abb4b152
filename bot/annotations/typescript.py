"""Reads the TypeScript compiler in its plain and pretty forms and as Next.js shows it; MSBuild writes the plain one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, finding

_SAID = r"(?P<level>error|warning) (?P<code>[A-Z]{2,5}\d{1,6}): (?P<message>.+)"
_PLAIN = re.compile(rf"(?P<path>\S.*?)\((?P<line>\d{{1,7}}),\d{{1,7}}(?:,\d{{1,7}},\d{{1,7}})?\) ?: {_SAID}")
_PRETTY = re.compile(rf"(?P<path>[^:\s][^:]*):(?P<line>\d{{1,7}}):\d{{1,7}} - {_SAID}")
_NEXT_PLACE = re.compile(r"(?P<path>\./[^:]+):(?P<line>\d{1,7}):\d{1,7}$")
_NEXT_ERROR = "Type error: "
_PROJECT = re.compile(r" \[[^\]]+proj\]$")


def typescript_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Errors and warnings, each with its code."""
    place: re.Match[str] | None = None
    for line in lines:
        if place and line.startswith(_NEXT_ERROR):
            yield finding(place["path"], place["line"], FAILURE, line.removeprefix(_NEXT_ERROR), "Type error", "tsc")
        place = _NEXT_PLACE.match(line)
        match = _PLAIN.match(line.lstrip()) or _PRETTY.match(line)
        if match:
            level = WARNING if match["level"] == "warning" else FAILURE
            tool = "tsc" if match["code"].startswith("TS") else "msbuild"
            message = _PROJECT.sub("", match["message"])
            yield finding(match["path"], match["line"], level, message, match["code"], tool)
