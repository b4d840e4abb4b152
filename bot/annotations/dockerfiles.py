"""Reads what BuildKit, the classic builder and hadolint say about lines of a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, NOTICE, WARNING, Finding, finding

_EXCERPT = re.compile(r"(?P<path>[^:\s][^:]*):(?P<line>\d{1,7})$")
_RULE = "-" * 20
_SOLVE = re.compile(r"(?:ERROR: )?failed to (?:solve|build)[^:]*: (?P<message>.+)")
_PARSE = re.compile(r"[Dd]ockerfile parse error (?:on )?line (?P<line>\d{1,7}): (?P<message>.+)")
_HADOLINT = re.compile(
    r"(?P<path>[^:\s][^:]*):(?P<line>\d{1,7})(?::\d{1,7})? (?P<code>(?:DL|SC)\d{4})"
    r"(?: (?P<level>error|warning|info|style):)? (?P<message>.+)"
)
_LEVELS = {"error": FAILURE, "warning": WARNING, "info": NOTICE, "style": NOTICE}


def dockerfile_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """The instruction that failed, syntax errors, and hadolint's rules."""
    for number, line in enumerate(lines):
        if parse := _PARSE.search(line) if "parse error" in line else None:
            yield finding("Dockerfile", parse["line"], FAILURE, parse["message"], "Dockerfile", "dockerfile")
        elif hadolint := _HADOLINT.match(line):
            level = _LEVELS[hadolint["level"] or "warning"]
            yield finding(hadolint["path"], hadolint["line"], level, hadolint["message"], hadolint["code"], "hadolint")
        elif line == _RULE and number and (excerpt := _EXCERPT.match(lines[number - 1])):
            message = _reason(lines[number + 1 : number + 60])
            yield finding(excerpt["path"], excerpt["line"], FAILURE, message, "Dockerfile", "dockerfile")


def _reason(after: Sequence[str]) -> str:
    """The sentence that follows BuildKit's excerpt of the Dockerfile, else the instruction it points at."""
    solved = next((match["message"] for line in after if (match := _SOLVE.match(line))), None)
    pointed = next((line.partition(">>>")[2].strip() for line in after if "| >>>" in line), "")
    return solved or pointed or "this instruction failed"
