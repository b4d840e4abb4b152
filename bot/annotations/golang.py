"""Reads `go build`, `go vet` and `go test`: compiler errors, failed tests, and panics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.annotations.remark import FAILURE, Finding, Place, finding

_COMPILER = re.compile(r"(?:vet: )?(?P<path>[^:\s][^:]*\.go):(?P<line>\d{1,7})(?::\d{1,7})?: (?P<message>.+)")
_TEST = re.compile(r"\s*--- FAIL: (?P<name>\S+)")
_TEST_LINE = re.compile(r"\s{4,}(?P<path>[^:\s]+\.go):(?P<line>\d{1,7}): (?P<message>.+)")
_PACKAGE = re.compile(r"FAIL\t(?P<package>\S+)\t")
_PANIC = re.compile(r"panic: (?P<message>.+)")
_FRAME = re.compile(r"\t(?P<path>[^:\t]+\.go):(?P<line>\d{1,7})(?: \+0x[0-9a-f]+)?$")


def go_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """Compiler errors as they come, then what tests and panics said."""
    for line in lines:
        match = _COMPILER.match(line)
        if match:
            yield finding(match["path"], match["line"], FAILURE, match["message"], "go", "go")
    yield from _tests(lines)
    yield from _panics(lines)


def _tests(lines: Sequence[str]) -> Iterator[Finding]:
    """`go test` writes a file's name alone; the line that ends its package says which folder it is of."""
    test, waiting = "", list[Finding]()
    for line in lines:
        if failed := _TEST.match(line):
            test = failed["name"]
        elif test and (said := _TEST_LINE.match(line)):
            waiting.append(finding(said["path"], said["line"], FAILURE, said["message"], test, "go test"))
        elif package := _PACKAGE.match(line):
            yield from (_in_package(one, package["package"]) for one in waiting)
            test, waiting = "", []
    yield from waiting


def _in_package(one: Finding, package: str) -> Finding:
    (place,) = one.places
    return replace(one, places=(Place(f"{package}/{place.path}", place.line), place))


def _panics(lines: Sequence[str]) -> Iterator[Finding]:
    """A panic's frames, the innermost first, up to the line that no trace has."""
    message, frames = "", list[Place]()
    for line in [*lines, "FAIL"]:
        if panic := _PANIC.match(line):
            message = message or panic["message"].removesuffix(" [recovered]")
        elif message and (frame := _FRAME.match(line)):
            frames.append(Place(frame["path"], int(frame["line"])))
        elif line.startswith(("FAIL", "exit status")):
            if message and frames:
                yield Finding(tuple(frames), FAILURE, f"panic: {message}", "panic", "go")
            message, frames = "", []
