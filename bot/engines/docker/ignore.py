"""Decides what `.dockerignore` leaves out of a build context, by Docker's own rules.

Sources: https://docs.docker.com/build/concepts/context/#dockerignore-files and
https://github.com/moby/patternmatcher (the last matching line wins; a line that matches a folder matches all below it).
Unlike there, a `**` inside a name is one `*`. Matching takes linear time, whatever a repository writes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.errors import Permanent

_WILDCARD = re.compile(r"[*?\[\\]")
_TOKEN = re.compile(r"\*+|\?|\[\^?(?:\\.|[^\]\\])+\]|\\.|.", re.DOTALL)

_ANY_THEN_NAME = re.compile(r"(?<![^/])\*\*([^/*])")
"""`**name` is any folder, and then `name`."""

_Part = re.Pattern[str] | None
"""One name of a path; None is `**`, any number of names."""


@dataclass(frozen=True, slots=True)
class _Line:
    keeps: bool
    """Whether it begins with `!`: what it matches is put back."""
    path: str
    parts: tuple[_Part, ...]

    def may_match_below(self, folder: str) -> bool:
        wildcard = _WILDCARD.search(self.path)
        fixed = self.path[: wildcard.start()] if wildcard else f"{self.path}/"
        return fixed.startswith(f"{folder}/") or f"{folder}/".startswith(fixed)


class IgnoreRules:
    """The lines of one ignore file, and names that are sent whatever it says.

    Raises Permanent("build_failed") for a line that cannot be read.
    """

    def __init__(self, text: str, always: Iterable[str] = ()) -> None:
        written = text.removeprefix("\ufeff").splitlines()
        wanted = [line.strip() for line in written if line.strip() and not line.startswith("#")]
        self._lines = [_read(line) for line in (*wanted, *(f"!{_quoted(name)}" for name in always))]

    def leaves_out(self, path: str) -> bool:
        """Whether the path, relative with `/` between its names, is left out."""
        names, left_out = path.split("/"), False
        for line in self._lines:
            if line.keeps == left_out and _matches(line.parts, names):
                left_out = not line.keeps
        return left_out

    def leaves_out_all_below(self, folder: str) -> bool:
        """Whether a folder that is left out needs no look inside: no line can put something of it back."""
        return not any(line.keeps and line.may_match_below(folder) for line in self._lines)


def _read(line: str) -> _Line:
    path = posixpath.normpath(line.removeprefix("!").strip() or ".").lstrip("/")
    if line == "!":
        raise _unreadable(line)
    names = _ANY_THEN_NAME.sub(r"**/\1", path).split("/")
    try:
        return _Line(line.startswith("!"), path, _parts(names))
    except (re.error, ValueError) as error:
        raise _unreadable(line) from error


def _unreadable(line: str) -> Permanent:
    message = f".dockerignore holds a pattern that cannot be read: {line}"
    return Permanent("build_failed", exit_code=None, step=None, message=message)


def _parts(names: Sequence[str]) -> tuple[_Part, ...]:
    """One matcher for each name, and `**` at the end: what matches a folder matches everything below it.

    A `**` that was at the end already wants something below.
    """
    inside = ["*" if name == "**" and at == len(names) - 1 else name for at, name in enumerate(names)]
    return (*(None if name == "**" else _name_pattern(name) for name in inside), None)


def _name_pattern(name: str) -> re.Pattern[str]:
    """Each `*` takes as little as lets the next piece match, for good: that finds every match without going back."""
    pieces = [""]
    for token in _TOKEN.findall(name):
        if token.startswith("*"):
            pieces.append("")
        else:
            pieces[-1] += _piece(token)
    first, *rest = pieces
    if not rest:
        return re.compile(rf"{first}\Z", re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(rf"{first}{middle}.*{rest[-1]}\Z", re.DOTALL)


def _piece(written: str) -> str:
    """A regular expression for one character. Raises ValueError for a class or an escape that has no end."""
    if written == "?":
        return "."
    if written in ("[", "\\"):
        raise ValueError(written)
    return written if written.startswith("[") else re.escape(written[-1])


def _matches(parts: Sequence[_Part], names: Sequence[str]) -> bool:
    """Match names one by one; only the last `**` may have to take one more."""
    part = name = taken = 0
    last_any = -1
    while name < len(names):
        wanted = parts[part] if part < len(parts) else None
        if part < len(parts) and wanted is None:
            last_any, taken, part = part, name, part + 1
        elif wanted is not None and wanted.match(names[name]):
            part, name = part + 1, name + 1
        elif last_any >= 0:
            taken += 1
            part, name = last_any + 1, taken
        else:
            return False
    return all(left is None for left in parts[part:])


def _quoted(name: str) -> str:
    return _WILDCARD.sub(r"\\\g<0>", name)
