"""Reads a Dockerfile: instructions with their lines, stages, arguments, ports, command, copied sources."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

_INSTRUCTION = re.compile(r"^[ \t]*([A-Za-z]+)\s+(.*)$", re.DOTALL)
_HEREDOC = re.compile(r"(?<!\S)\d*<<-?['\"]?([^\s<'\"]+)['\"]?(?!\S)")
"""A word of its own, as BuildKit wants it: `<<<` and `1<<n` are the shell's."""
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^}\n]{0,500}))?\}|(\w+))")
_DIRECTIVE = re.compile(r"^#\s*(\w+)\s*=\s*(\S+)\s*$")
_OTHER_SERVERS = frozenset({21, 22, 25, 53, 443, 2222, 3306, 5432, 6379, 8443, 9090, 27017})
"""Ports of SSH, mail, names, TLS, databases and metrics, which stand beside the web's."""


@dataclass(frozen=True)
class Instruction:
    """One instruction; `line` is where it starts, counted from 1, and `flags` its `--name=value` options."""

    keyword: str
    value: str
    line: int
    flags: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The arguments, from the JSON form or split at spaces."""
        if self.value.startswith("["):
            try:
                listed = json.loads(self.value)
            except ValueError:
                return self.value.split()
            return [str(word) for word in listed] if isinstance(listed, list) else []
        try:
            return shlex.split(self.value, comments=False, posix=True)
        except ValueError:
            return self.value.split()

    def flag(self, name: str) -> str | None:
        """An option's value."""
        return next((f.partition("=")[2] for f in self.flags if f.startswith(f"--{name}=")), None)


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    image: str
    name: str | None
    line: int
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, keyword: str) -> Instruction | None:
        """The last instruction of a kind, which is the one that counts for CMD, USER and their like."""
        return next((i for i in reversed(self.instructions) if i.keyword == keyword), None)

    def all(self, keyword: str) -> list[Instruction]:
        """Every instruction of a kind."""
        return [i for i in self.instructions if i.keyword == keyword]


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile; `arguments` are the global ones with their defaults (None: none given)."""

    stages: tuple[Stage, ...]
    arguments: dict[str, str | None]
    instructions: tuple[Instruction, ...]

    @property
    def final(self) -> Stage | None:
        """The stage that becomes the image."""
        return self.stages[-1] if self.stages else None

    def ancestry(self) -> list[Stage]:
        """The final stage and the stages it is built from, nearest first."""
        by_name = {stage.name: stage for stage in self.stages if stage.name}
        line: list[Stage] = []
        stage = self.final
        while stage is not None and stage not in line:
            line.append(stage)
            stage = by_name.get(stage.image.lower())
        return line

    def command(self) -> str | None:
        """What the image runs, ENTRYPOINT and CMD together, as one shell line."""
        entry = next((i for s in self.ancestry() if (i := s.last("ENTRYPOINT"))), None)
        command = next((i for s in self.ancestry() if (i := s.last("CMD"))), None)
        parts = [_as_line(i) for i in (entry, command) if i and i.value not in ("[]", "")]
        return self.expand(" ".join(parts)) or None

    def ports(self) -> list[int]:
        """The TCP ports that EXPOSE names, variables filled in."""
        found = []
        for stage in self.ancestry():
            for instruction in stage.all("EXPOSE"):
                for word in self.expand(instruction.value).split():
                    number, _, protocol = word.partition("/")
                    number = number.partition("-")[0]
                    if number.isdigit() and protocol in ("", "tcp") and 0 < int(number) < 65536:
                        found.append(int(number))
        return found

    def web_port(self) -> int | None:
        """Of several ports the one that is its PORT, else the first that no other kind of server is known by."""
        ports = list(dict.fromkeys(self.ports()))
        given = self.variables.get("PORT", "")
        if given.isdigit() and int(given) in ports:
            return int(given)
        return next((port for port in ports if port not in _OTHER_SERVERS), ports[0] if ports else None)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """ARG and ENV values that are known without building."""
        known = {name: value for name, value in self.arguments.items() if value is not None}
        for stage in reversed(self.ancestry()):
            for instruction in stage.instructions:
                if instruction.keyword in ("ARG", "ENV"):
                    known |= {k: _filled(v, known) for k, v in _pairs(instruction) if v is not None}
        return known

    def expand(self, text: str) -> str:
        """Fill known variables in; unknown ones without a default stay as written."""
        return _filled(text, self.variables)


def parse_dockerfile(text: str) -> Dockerfile:
    """Parse what BuildKit would read; lines that are no instruction are kept under their first word.

    Source: https://docs.docker.com/reference/dockerfile/
    """
    stages: list[Stage] = []
    arguments: dict[str, str | None] = {}
    instructions = tuple(_instructions(text))
    for instruction in instructions:
        if instruction.keyword == "FROM":
            stages.append(_stage(instruction))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.keyword == "ARG":
            arguments.update(_pairs(instruction))
    return Dockerfile(tuple(stages), arguments, instructions)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda m: known.get(m[1] or m[4]) or (m[3] if m[2] == "-" else None) or m[0], text)


def _stage(instruction: Instruction) -> Stage:
    words = instruction.value.split()
    name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else None
    return Stage(words[0] if words else "", name, instruction.line)


def _as_line(instruction: Instruction) -> str:
    return shlex.join(instruction.words()) if instruction.value.startswith("[") else instruction.value


def _pairs(instruction: Instruction) -> Iterator[tuple[str, str | None]]:
    words = instruction.words()
    if instruction.keyword == "ENV" and words and "=" not in words[0]:
        yield words[0], " ".join(words[1:])
        return
    for word in words:
        name, equals, value = word.partition("=")
        yield name, value if equals else None


def _instructions(text: str) -> Iterator[Instruction]:
    lines = text.split("\n")
    escape = _escape(lines)
    position = 0
    while position < len(lines):
        start = position
        joined, position = _join(lines, position, escape)
        match = _INSTRUCTION.match(joined)
        if match:
            keyword = match[1].upper()
            position = _skip_heredocs(lines, position, match[2]) if keyword in ("RUN", "COPY", "ADD") else position
            yield _instruction(keyword, match[2].strip(), start + 1)


def _escape(lines: list[str]) -> str:
    for line in lines:
        match = _DIRECTIVE.match(line)
        if not match:
            return "\\"
        if match[1].lower() == "escape":
            return match[2]
    return "\\"


def _join(lines: list[str], position: int, escape: str) -> tuple[str, int]:
    """A logical line: continued lines joined, comment and empty lines inside left out."""
    parts: list[str] = []
    while position < len(lines):
        line = lines[position].rstrip()
        position += 1
        if line.lstrip().startswith("#") or (parts and not line):
            if not parts:
                return "", position
            continue
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line[: -len(escape)])
    return " ".join(part.strip() for part in parts), position


def _skip_heredocs(lines: list[str], position: int, value: str) -> int:
    """The line after the texts that an instruction holds; one without an end is no reason to lose what follows."""
    for match in _HEREDOC.finditer(value):
        end = next((n for n in range(position, len(lines)) if lines[n].strip() == match[1]), None)
        position = position if end is None else end + 1
    return position


def _instruction(keyword: str, value: str, line: int) -> Instruction:
    flags = []
    while match := re.match(r"(--[a-z-]+(?:=\S+)?)\s+", value):
        flags.append(match[1])
        value = value[match.end() :]
    return Instruction(keyword, value, line, tuple(flags))
