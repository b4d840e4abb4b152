"""Decides which remarks a failed build's log comes to: on files of the repository, each once, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from bot.annotations.dockerfiles import dockerfile_findings
from bot.annotations.eslint import eslint_findings
from bot.annotations.gnu import gnu_findings
from bot.annotations.golang import go_findings
from bot.annotations.javascript import javascript_findings
from bot.annotations.jvm import jvm_findings
from bot.annotations.lines import streams
from bot.annotations.paths import RepositoryPaths
from bot.annotations.pytest_report import pytest_findings
from bot.annotations.python_lint import python_lint_findings
from bot.annotations.python_trace import python_trace_findings
from bot.annotations.remark import LEVELS, Finding, Parser, Place, Remark
from bot.annotations.rust import rust_findings
from bot.annotations.typescript import typescript_findings

MOST_REMARKS = 50
MESSAGE_CHARACTERS = 600
TITLE_CHARACTERS = 120

PARSERS: tuple[Parser, ...] = (
    dockerfile_findings,
    gnu_findings,
    pytest_findings,
    python_trace_findings,
    python_lint_findings,
    typescript_findings,
    eslint_findings,
    javascript_findings,
    go_findings,
    rust_findings,
    jvm_findings,
)


def remarks(lines: Iterable[str], paths: RepositoryPaths, most: int = MOST_REMARKS) -> list[Remark]:
    """At most `most` remarks, errors before warnings, else in the order of the log; never one on a doubtful file."""
    found: dict[tuple[str, int, str], Remark] = {}
    for finding in _findings(lines):
        remark = _placed(finding, paths)
        if remark is not None:
            key = (remark.path, remark.line, " ".join(remark.message.split()))
            found[key] = min(found.get(key, remark), remark, key=_gravity)
    return sorted(found.values(), key=_gravity)[:most]


def as_facts(found: Iterable[Remark]) -> list[dict[str, str | int]]:
    """The remarks as plain JSON."""
    return [asdict(one) for one in found]


def _findings(lines: Iterable[str]) -> Iterator[Finding]:
    for stream in streams(lines):
        for parser in PARSERS:
            yield from parser(stream)


def _placed(finding: Finding, paths: RepositoryPaths) -> Remark | None:
    for place in finding.places:
        path = paths.find(place.path) if place.line > 0 else None
        if path is not None:
            return _remark(finding, path, place)
    return None


def _remark(finding: Finding, path: str, place: Place) -> Remark:
    message = finding.message[:MESSAGE_CHARACTERS]
    title = finding.title[:TITLE_CHARACTERS]
    return Remark(path, place.line, place.line, finding.level, message or title, title, finding.tool)


def _gravity(remark: Remark) -> int:
    return LEVELS.index(remark.level)
