"""Decides which release of a runtime a manifest asks for: pins win, ranges pick a supported release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Number = tuple[int, ...]

_COMPARATOR = re.compile(r"(~>|\^|~=|~|>=|<=|==|!=|=|>|<)?\s*v?(\d+(?:\.(?:\d+|[xX*]))*|[xX*])(?:\.[xX*])*[-+.\w]*")
_EXACT = re.compile(r"^v?(\d+(?:\.\d+)*)(?:[-+][\w.+-]+|(?:a|b|rc|alpha|beta|t)\d*)?$")
_HYPHEN = re.compile(r"([\d.]+)\s+-\s+([\d.]+)")


def number(text: str) -> Number:
    """`"3.11.2"` as `(3, 11, 2)`; stops at the first part that is no number."""
    parts = []
    for part in text.split("."):
        if not part.isdigit():
            break
        parts.append(int(part[:9]))
    return tuple(parts)


def exact(text: str) -> str | None:
    """The version when `text` names exactly one (`v22.2.0`, `3.11`), without its `v`; None for anything else."""
    match = _EXACT.match(text.strip())
    return match[1] if match else None


@dataclass(frozen=True)
class Comparator:
    """One bound of a range, as `^8.2` or `< 4`."""

    operator: str
    version: Number

    def admits(self, release: Number) -> bool:
        """Whether a release line lies within the bound; a line such as `3.12` stands for all its patches."""
        width = max(len(self.version), len(release))
        bound = self.version[: len(release)]
        padded = release + (0,) * (width - len(release))
        if self.operator in (">", ">="):
            return release >= bound if len(release) < len(self.version) else padded >= self.version
        if self.operator == "<":
            return release < bound or (
                release == bound and len(self.version) > len(release) and any(self._rest(release))
            )
        if self.operator == "<=":
            return release <= bound
        if self.operator == "!=":
            return release != bound or len(self.version) > len(release)
        return self._near(release)

    def _rest(self, release: Number) -> Number:
        return self.version[len(release) :]

    def _near(self, release: Number) -> bool:
        """`^`, `~`, `~>`, `~=`, `=` and a bare number."""
        fixed = {"^": 1, "~=": max(1, len(self.version) - 1), "~>": max(1, len(self.version) - 1)}.get(self.operator)
        if self.operator == "~":
            fixed = min(2, len(self.version))
        if self.operator == "^" and self.version[:1] == (0,):
            fixed = 2
        kept = len(self.version) if fixed is None else fixed
        kept = min(kept, len(release))
        return release[:kept] == self.version[:kept] and release >= self.version[: len(release)]


def ranges(text: str) -> list[list[Comparator]]:
    """A range as alternatives of bounds that must all hold; npm, Composer, Ruby, PEP 440 and Cargo spellings."""
    alternatives = []
    for part in re.split(r"\|\|?", _HYPHEN.sub(r">=\1 <=\2", text[:500])):
        bounds = [Comparator(m[1] or "", number(m[2])) for m in _COMPARATOR.finditer(part)]
        if bounds:
            alternatives.append(bounds)
    return alternatives


def satisfying(text: str, supported: Sequence[str]) -> list[str]:
    """The supported releases a range admits, in the order given; none when it cannot be read."""
    alternatives = ranges(text)
    return [v for v in supported if any(all(b.admits(number(v)) for b in bounds) for bounds in alternatives)]


@dataclass(frozen=True)
class Choice:
    """A chosen release, and whether it is known to be supported."""

    version: str
    supported: bool
    why: str


def choose(text: str, supported: Sequence[str], default: str) -> Choice | None:
    """What a version text asks for, with `supported` newest first. None when the text says nothing usable.

    An exact pin is kept whatever it is; a range takes the default where it admits it, else the newest supported
    release in it; a range that admits none keeps its own lowest bound.
    """
    pinned = exact(text.removeprefix("==").removeprefix("=").strip())
    if pinned:
        return Choice(pinned, _is_supported(pinned, supported), f"is pinned to {pinned}")
    admitted = satisfying(text, supported)
    if default in admitted:
        return Choice(default, True, f"{text.strip()} admits the default {default}")
    if admitted:
        return Choice(admitted[0], True, f"{admitted[0]} is the newest supported release in {text.strip()}")
    bounds = [bound for alternative in ranges(text) for bound in alternative if bound.version]
    if not bounds:
        return None
    lowest = ".".join(map(str, bounds[0].version))
    return Choice(lowest, False, f"no supported release satisfies {text.strip()}")


def _is_supported(version: str, supported: Sequence[str]) -> bool:
    wanted = number(version)
    return not supported or any(number(s)[: len(wanted)] == wanted[: len(number(s))] for s in supported)
