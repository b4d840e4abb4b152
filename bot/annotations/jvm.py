"""Reads Maven's and Kotlin's compiler errors, and the JVM's stack traces as Surefire and Gradle show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.annotations.remark import FAILURE, WARNING, Finding, Place, finding

_FILE = r"\w+\.(?:java|kt|groovy|scala)"
_MAVEN = re.compile(
    r"\[(?P<level>ERROR|WARNING)\] (?:COMPILATION ERROR : ?)?(?P<path>[^\s\[][^\[]*)"
    r":\[(?P<line>\d{1,7}),\d{1,7}\] (?P<message>.+)"
)
_KOTLIN = re.compile(
    r"(?P<level>[ew]): (?:file://)?(?P<path>/[^:]+\.kts?):"
    r"(?: \((?P<old>\d{1,7}), \d{1,7}\):|(?P<line>\d{1,7}):\d{1,7}:?) (?P<message>.+)"
)
_THROWN = re.compile(
    r"(?:\[ERROR\] )?\s*(?:Exception in thread \"[^\"]*\" |Caused by: )?"
    r"(?P<name>(?:[a-z][\w$]*\.)+[A-Z][\w$]*)"
    rf"(?:: (?P<message>.*)| at (?P<file>{_FILE}):(?P<line>\d{{1,7}}))?$"
)
_FRAME = re.compile(
    r"(?:\[ERROR\] )?\s+at (?:[\w.@-]+/){0,3}(?P<method>[\w.$<>]+)"
    rf"\((?P<file>{_FILE}):(?P<line>\d{{1,7}})\)$"
)
_FRAMES = 200


def jvm_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Compiler errors, and each exception at the innermost frame that is the repository's."""
    for line in lines:
        if maven := _MAVEN.match(line):
            level = WARNING if maven["level"] == "WARNING" else FAILURE
            yield finding(maven["path"], maven["line"], level, maven["message"], "maven", "maven")
        elif kotlin := _KOTLIN.match(line):
            level = WARNING if kotlin["level"] == "w" else FAILURE
            yield finding(kotlin["path"], kotlin["line"] or kotlin["old"], level, kotlin["message"], "kotlin", "kotlin")
    yield from _exceptions(lines)


def _exceptions(lines: Sequence[str]) -> Iterator[Finding]:
    thrown: re.Match[str] | None = None
    frames: list[Place] = []
    for line in [*lines, ""]:
        frame = _FRAME.match(line) if thrown else None
        if frame and len(frames) < _FRAMES:
            frames.append(_place(frame))
            continue
        if thrown and frames:
            yield _exception(thrown, frames)
        if not frame:
            thrown, frames = _THROWN.match(line), []
            if thrown and thrown["file"]:
                frames = [Place(thrown["file"], int(thrown["line"]))]


def _place(frame: re.Match[str]) -> Place:
    """The file in the folder of its package: `com.acme.Cart.total(Cart.java:5)` is of `com/acme/Cart.java`."""
    names = frame["method"].split(".")[:-2]
    return Place("/".join([*names, frame["file"]]), int(frame["line"]))


def _exception(thrown: re.Match[str], frames: Sequence[Place]) -> Finding:
    name = thrown["name"].rpartition(".")[2]
    message = f"{name}: {thrown['message']}" if thrown["message"] else name
    return Finding(tuple(frames), FAILURE, message, name, "java")
