"""Reads what Python's linters say: ruff in its full and concise forms, flake8 and pylint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, finding

_CODE = r"(?P<code>[A-Z]{1,5}\d{3,4}|invalid-syntax|SyntaxError)"
_CONCISE = re.compile(rf"(?P<path>[^:\s][^:]*):(?P<line>\d{{1,7}}):\d{{1,7}}: {_CODE}(?P<colon>:?) (?P<message>.+)")
_FULL = re.compile(rf"{_CODE}:? (?P<message>.+)")
_ARROW = re.compile(r" *--> (?P<path>[^:]+):(?P<line>\d{1,7}):\d{1,7}$")
_FIXABLE = "[*] "


def python_lint_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Every violation; pylint's conventions, refactorings and warnings are warnings."""
    said: re.Match[str] | None = None
    for line in lines:
        arrow = _ARROW.match(line) if said else None
        if said and arrow:
            yield _ruff(said, arrow)
        elif concise := _CONCISE.match(line):
            yield _pylint(concise) if _is_pylint(concise) else _ruff(concise, concise)
        said = _FULL.match(line)


def _ruff(said: re.Match[str], place: re.Match[str]) -> Finding:
    return finding(place["path"], place["line"], FAILURE, _message(said), said["code"], "ruff")


def _pylint(said: re.Match[str]) -> Finding:
    level = FAILURE if said["code"][0] in "EF" else WARNING
    return finding(said["path"], said["line"], level, _message(said), said["code"], "pylint")


def _is_pylint(said: re.Match[str]) -> bool:
    return bool(said["colon"]) and said["code"][0] in "CRWEF" and len(said["code"]) == 5


def _message(said: re.Match[str]) -> str:
    return said["message"].removeprefix(_FIXABLE)
