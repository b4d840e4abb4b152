"""Reads ESLint in its stylish, compact and unix forms, and as Next.js shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, finding

_FILE = re.compile(r"(?:/|[A-Za-z]:\\|\.{0,2}/|\w)[^:*?\"<>|]*\.[A-Za-z]{1,10}$")
_STYLISH = re.compile(
    r"(?:\s+(?P<line>\d{1,7}):\d{1,7}\s+(?P<level>error|warning)|(?P<next_line>\d{1,7}):\d{1,7}\s+(?P<next_level>Error|Warning):)"
    r"\s+(?P<message>\S.*)$"
)
"""Next.js begins at the margin and writes `Error:`."""
_RULE = re.compile(r"(?<!\s)\s{2,}(?P<rule>[@\w][\w/@.-]*)$")
_COMPACT = re.compile(
    r"(?P<path>[^:\s][^:]*): line (?P<line>\d{1,7}), col \d{1,7}, (?P<level>Error|Warning) - (?P<message>.+?)"
    r"(?: \((?P<rule>[\w/@.-]+)\))?$"
)
_UNIX = re.compile(
    r"(?P<path>[^:\s][^:]*):(?P<line>\d{1,7}):\d{1,7}: (?P<message>.+)"
    r" \[(?P<level>Error|Warning)(?:/(?P<rule>[^\]]+))?\]$"
)


def eslint_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Every problem. In the stylish form the file stands once, on a line of its own before its problems."""
    path: str | None = None
    for line in lines:
        stylish = _STYLISH.match(line) if path else None
        if path and stylish:
            yield _stylish(path, stylish)
        elif one_line := _COMPACT.match(line) or _UNIX.match(line):
            level = _level(one_line["level"])
            rule = one_line["rule"] or "eslint"
            yield finding(one_line["path"], one_line["line"], level, one_line["message"], rule, "eslint")
        elif not line or line[0] not in " \t":
            path = line if _FILE.match(line) else None


def _stylish(path: str, said: re.Match[str]) -> Finding:
    message = said["message"]
    rule = _RULE.search(message)
    text = message[: rule.start()] if rule else message
    level = _level(said["level"] or said["next_level"])
    return finding(path, said["line"] or said["next_line"], level, text, rule["rule"] if rule else "eslint", "eslint")


def _level(word: str) -> str:
    return WARNING if word.lower() == "warning" else FAILURE
