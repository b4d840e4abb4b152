"""What a bench answers: figures, each beside the peer or the limit it is held to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class CannotMeasure(Exception):
    """A peer or a tool is not here and cannot be installed; the text is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One value, the value it is held against (same unit), their ratio, and whether what was promised is reached."""

    bench: str
    what: str
    value: float
    unit: str
    against: str
    other: float
    ratio: float
    goal: str
    reached: bool

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        """One line for a person."""
        ours, theirs = (_amount(value, self.unit) for value in (self.value, self.other))
        verdict = "reached" if self.reached else "not reached"
        return f"{self.what}: {ours}, {self.against} {theirs}, ratio {self.ratio:.2f} (goal {self.goal}): {verdict}"


def under(bench: str, what: str, value: float, unit: str, limit: float) -> Figure:
    """A value that must stay under a limit, both in `unit`."""
    return Figure(bench, what, value, unit, "limit", limit, value / limit, "< 1", value < limit)


def none(bench: str, what: str, count: int, unit: str) -> Figure:
    """Something that must not happen at all; the ratio is the count itself."""
    return Figure(bench, what, count, unit, "limit", 0, count, "= 0", count == 0)


def beside(
    bench: str, what: str, ours: float, unit: str, peer: str, theirs: float, *, least: float, ratio: float | None = None
) -> Figure:
    """A value, in `unit`, that must be at least `least` times a peer's of the same run.

    `ratio` is given where it was taken pair by pair.
    """
    times = ours / theirs if ratio is None else ratio
    return Figure(bench, what, ours, unit, peer, theirs, times, f">= {least:g}", times >= least)


def at_most(bench: str, what: str, ours: float, unit: str, peer: str, theirs: float, *, most: float) -> Figure:
    """A value, in `unit`, that must be at most `most` times another of the same run."""
    ratio = ours / theirs
    return Figure(bench, what, ours, unit, peer, theirs, ratio, f"<= {most:g}", ratio <= most)


def quicker(
    bench: str, what: str, ours_s: float, peer: str, theirs_s: float, *, least: float, ratio: float | None = None
) -> Figure:
    """A time in seconds that a peer's of the same run must be at least `least` times of; `ratio` as in `beside`."""
    times = theirs_s / ours_s if ratio is None else ratio
    return Figure(bench, what, ours_s, "s", peer, theirs_s, times, f">= {least:g}", times >= least)


def table(figures: Sequence[Figure]) -> str:
    """All figures, a line each, in columns."""
    heads = ("bench", "figure", "value", "beside", "", "ratio", "goal", "")
    rows = [heads] + [_cells(one) for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(one: Figure) -> tuple[str, ...]:
    return (
        one.bench,
        one.what,
        _amount(one.value, one.unit),
        one.against,
        _amount(one.other, one.unit),
        f"{one.ratio:.2f}",
        one.goal,
        "reached" if one.reached else "not reached",
    )


def _amount(value: float, unit: str) -> str:
    """Three digits that matter, whole numbers from a hundred on."""
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{number} {unit}".rstrip()
