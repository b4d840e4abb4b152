"""Reads errors of Node.js and Jest with their stack, esbuild's and Vite's, and those of npm that name a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, Place, finding

_SOURCE = r"\.(?:[cm]?[jt]sx?|vue|svelte)"
_CRASH = re.compile(rf"(?P<path>(?:file://)?/[^:\s][^:]*{_SOURCE}):(?P<line>\d{{1,7}})$")
_THROWN = re.compile(r"\s*(?:Uncaught )?(?P<name>[A-Z]\w*(?:Error|Exception)|Error)(?: \[\w+\])?: (?P<message>.+)")
_JEST = re.compile(r"\s*● (?P<message>.+)")
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


def javascript_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Each thrown error at the innermost frame that is the repository's; bundlers' and npm's errors at their place."""
    yield from _thrown(lines)
    yield from _esbuild(lines)
    yield from _npm(lines)


def _thrown(lines: Sequence[str]) -> Iterator[Finding]:
    """Node writes where it crashed, the source, the error, then frames; Jest the test's name, indented text, frames."""
    said: tuple[str, str] | None = None
    places, crash = list[Place](), list[Place]()
    for line in lines:
        if line.lstrip().startswith("at "):
            places += _frame(line) if len(places) < _FRAMES else []
        elif crashed := _CRASH.match(line):
            crash = [Place(crashed["path"], int(crashed["line"]))]
        elif thrown := _said(line):
            yield from _ended(said, places)
            said, places, crash = thrown, crash, []
        elif line and line[0] not in " \t" and said:
            yield from _ended(said, places)
            said, places = None, []
    yield from _ended(said, places)


def _frame(line: str) -> list[Place]:
    frame = _FRAME.match(line)
    return [Place(frame["path"], int(frame["line"]))] if frame else []


def _said(line: str) -> tuple[str, str] | None:
    thrown = _THROWN.match(line)
    if thrown:
        return thrown["name"], f"{thrown['name']}: {thrown['message']}"
    jest = _JEST.match(line)
    return ("jest", jest["message"]) if jest else None


def _ended(said: tuple[str, str] | None, places: Sequence[Place]) -> Iterator[Finding]:
    if said and places:
        title, message = said
        yield Finding(tuple(places), FAILURE, message, title, "node")


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
