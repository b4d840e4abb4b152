"""Reads errors of Node.js and Jest with their stack, esbuild's and Vite's, and those of npm that name a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.annotations.remark import FAILURE, WARNING, Finding, Place, finding

_SOURCE = r"\.(?:[cm]?[jt]sx?|vue|svelte)"
_CRASH = re.compile(rf"(?P<path>(?:file://)?/[^:\s][^:]*{_SOURCE}):(?P<line>\d{{1,7}})$")
_THROWN = re.compile(r"\s*(?:Uncaught )?(?P<name>[A-Z]\w*(?:Error|Exception)|Error)(?: \[\w+\])?: (?P<message>.+)")
_JEST = re.compile(r"\s*● (?P<name>.+)")
_EXCERPT = re.compile(r"[> \d]*\|")
_FRAME = re.compile(
    rf"\s+at (?:[^()]{{1,200}} \()?(?P<path>(?:file://)?[^():\s][^():]*{_SOURCE}):(?P<line>\d{{1,7}}):\d{{1,7}}\)?$"
)
_ESBUILD = re.compile(r"(?:✘|X|▲) \[(?P<level>ERROR|WARNING)\] (?P<message>.+)")
_ESBUILD_PLACE = re.compile(r"\s{4}(?P<path>[^:\s][^:]*):(?P<line>\d{1,7}):\d{1,7}:$")
_NPM = re.compile(r"npm (?:ERR!|error) (?P<text>.*)")
_NPM_JSON = re.compile(r"(?:JSON\.parse )?Invalid (?P<path>[^:]*package(?:-lock)?\.json): (?P<message>.+)")
_NPM_LINE = re.compile(r"\(line (?P<line>\d{1,7}) column")
_OUT_OF_SYNC = "are in sync"
_FRAMES = 200
_MESSAGE_LINES = 10


def javascript_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Each thrown error at the innermost frame that is the repository's; bundlers' and npm's errors at their place."""
    yield from _thrown(lines)
    yield from _esbuild(lines)
    yield from _npm(lines)


@dataclass(slots=True)
class _Error:
    """One error as far as it was read."""

    title: str
    tool: str
    message: list[str]
    places: list[Place]

    def take(self, line: str) -> None:
        """What Jest writes below the test's name, up to the excerpt of the source."""
        if self.tool == "jest" and line and not self.places and len(self.message) < _MESSAGE_LINES:
            self.message += [] if _EXCERPT.match(line) else [line.strip()]

    def findings(self) -> Iterator[Finding]:
        """What it comes to: nothing for an error without a place."""
        if self.places:
            yield Finding(tuple(self.places), FAILURE, "\n".join(self.message), self.title, self.tool)


def _thrown(lines: Sequence[str]) -> Iterator[Finding]:
    """Node writes where it crashed, the source, the error, then frames; Jest the test's name, indented text, frames."""
    error: _Error | None = None
    crash: list[Place] = []
    for line in lines:
        if line.lstrip().startswith("at "):
            if error and len(error.places) < _FRAMES:
                error.places += _frame(line)
        elif crashed := _CRASH.match(line):
            crash = [Place(crashed["path"], int(crashed["line"]))]
        elif begun := _begun(line, error, crash):
            yield from error.findings() if error else ()
            error, crash = begun, []
        elif error and line and line[0] not in " \t":
            yield from error.findings()
            error = None
        elif error:
            error.take(line)
    yield from error.findings() if error else ()


def _begun(line: str, before: _Error | None, crash: list[Place]) -> _Error | None:
    """The error that begins here; one thrown within a Jest test keeps that test's name."""
    if jest := _JEST.match(line):
        return _Error(jest["name"], "jest", [], [])
    thrown = _THROWN.match(line)
    if thrown is None:
        return None
    within = before is not None and before.tool == "jest" and not before.places and line[0] in " \t"
    title, tool = (before.title, "jest") if before and within else (thrown["name"], "node")
    return _Error(title, tool, [f"{thrown['name']}: {thrown['message']}"], crash)


def _frame(line: str) -> list[Place]:
    frame = _FRAME.match(line)
    return [Place(frame["path"], int(frame["line"]))] if frame else []


def _esbuild(lines: Sequence[str]) -> Iterator[Finding]:
    said: re.Match[str] | None = None
    for line in lines:
        said = _ESBUILD.match(line) or said
        place = _ESBUILD_PLACE.match(line) if said else None
        if said and place:
            level = WARNING if said["level"] == "WARNING" else FAILURE
            yield finding(place["path"], place["line"], level, said["message"], "esbuild", "esbuild")
            said = None


def _npm(lines: Sequence[str]) -> Iterator[Finding]:
    for line in lines:
        npm = _NPM.match(line)
        if npm is None:
            continue
        if broken := _NPM_JSON.match(npm["text"]):
            at = _NPM_LINE.search(broken["message"])
            yield finding(broken["path"], at["line"] if at else 1, FAILURE, broken["message"], "npm", "npm")
        elif npm["text"].startswith("`npm ci`") and _OUT_OF_SYNC in npm["text"]:
            yield finding("package-lock.json", 1, FAILURE, npm["text"], "npm", "npm")
