"""Reads pytest's report of failures and of errors, with long, short or one-line tracebacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.annotations.remark import FAILURE, Finding, Place

_BLOCK = re.compile(r"={3,} (?P<name>[\w ]+) =")
_SECTION = re.compile(r"_{2,} (?P<name>[^_ ].*?) _{2,}$")
_PLACE = re.compile(r"(?P<path>[^:\s][^:]*):(?P<line>\d{1,7}): ?(?P<what>.*)$")
_SYNTAX = re.compile(r'E +File "(?P<path>[^"]+)", line (?P<line>\d{1,7})')
_FAILING = frozenset({"FAILURES", "ERRORS"})
_MESSAGE_LINES = 20


@dataclass(slots=True)
class _Section:
    """One failed test as far as it was read."""

    name: str
    places: list[Place] = field(default_factory=list)
    message: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """A line of its traceback, or of the error that ended it."""
        if line.startswith("E "):
            syntax = _SYNTAX.match(line)
            if syntax:
                self.places.append(Place(syntax["path"], int(syntax["line"])))
            self.message.append(line[1:].removeprefix("   "))
        elif place := _PLACE.match(line):
            self.places.append(Place(place["path"], int(place["line"])))

    def findings(self) -> Iterator[Finding]:
        """What it comes to: nothing for a section without a place."""
        if self.places:
            text = "\n".join(self.message[:_MESSAGE_LINES]).strip() or self.name
            yield Finding(tuple(reversed(self.places)), FAILURE, text, self.name, "pytest")


def pytest_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """One finding for each failed test or module that could not be collected."""
    failing, section = False, None
    for line in lines:
        block = _BLOCK.match(line)
        header = _SECTION.match(line) if failing else None
        if (block or header) and section:
            yield from section.findings()
        if block:
            failing, section = block["name"] in _FAILING, None
        elif header:
            section = _Section(header["name"])
        elif section:
            section.take(line)
        elif failing:
            yield from _one_line(line)
    if section:
        yield from section.findings()


def _one_line(line: str) -> Iterator[Finding]:
    place = _PLACE.match(line)
    if place and place["what"]:
        yield Finding((Place(place["path"], int(place["line"])),), FAILURE, place["what"], "pytest", "pytest")
