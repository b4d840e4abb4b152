"""Draws bands piled up over time: the lines of each language, month by month."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import NamedTuple

from bot.jobs.analysis.faces.canvas import REST, WIDTH, svg

AREA_HEIGHT, AXIS_HEIGHT = 260, 26
_LETTER_WIDTH = 20  # of a time's name on a phone, where letters are largest beside the picture
_FEW_YEARS = 3  # fewer are too little to tell when something was
_MOST_STEPS = 4  # of the scale
_HEADROOM = 20  # above the highest point, for the number that says how high it is


class Band(NamedTuple):
    """One series of a stacked area: its name, a value for each point in time, and its series' number."""

    name: str
    values: Sequence[int]
    series: int


@dataclass(frozen=True, slots=True)
class Words:
    """What a stacked area says: its title, how high it is at most, and what hovering over a band tells."""

    title: str
    top: Callable[[int], str]
    band: Callable[[str, int], str]


def stacked(points: Sequence[date], values: Mapping[str, Mapping[date, int]], others: str) -> list[Band]:
    """Bands of the largest series, all others joined in one of that name."""
    ranked = sorted(values, key=lambda name: (-sum(values[name].values()), name))
    shown, rest = ranked[:REST], ranked[REST:]
    bands = [Band(name, [values[name].get(point, 0) for point in points], at) for at, name in enumerate(shown)]
    if rest:
        joined = [sum(values[name].get(point, 0) for name in rest) for point in points]
        bands.append(Band(others, joined, REST))
    return bands


def stacked_area(starts: Sequence[date], bands: Sequence[Band], words: Words) -> str:
    """Bands piled up over time; the first lies at the bottom. Empty when there is nothing to show.

    A single point in time is drawn as one that lasted.
    """
    if len(starts) == 1:
        starts, bands = [*starts] * 2, [band._replace(values=[*band.values] * 2) for band in bands]
    totals = [sum(values) for values in zip(*(band.values for band in bands), strict=True)]
    top = max(totals, default=0)
    if not top:
        return ""
    floor = [0] * len(starts)
    shapes = []
    for band in bands:
        ceiling = [low + value for low, value in zip(floor, band.values, strict=True)]
        path = _area(_across(len(starts)), floor, ceiling, top)
        told = words.band(band.name, max(band.values))
        shapes.append(f'<path class="s{band.series}" d="{path}"><title>{escape(told)}</title></path>')
        floor = ceiling
    marks = [*_times(starts), *_steps(top), _highest(words.top(top))]
    return svg(AREA_HEIGHT + AXIS_HEIGHT, words.title, [*shapes, *marks])


def _area(xs: Sequence[float], floor: Sequence[int], ceiling: Sequence[int], top: int) -> str:
    """The outline of one band, along its upper edge and back along its lower one."""
    upper = [f"{x:.1f},{_height(value, top):.1f}" for x, value in zip(xs, ceiling, strict=True)]
    lower = [f"{x:.1f},{_height(value, top):.1f}" for x, value in zip(xs, floor, strict=True)]
    return "M" + "L".join(upper + lower[::-1]) + "Z"


def _height(value: int, top: int) -> float:
    return AREA_HEIGHT - value / top * (AREA_HEIGHT - _HEADROOM)


def _across(count: int) -> list[float]:
    step = WIDTH / max(1, count - 1)
    return [number * step for number in range(count)]


def _times(starts: Sequence[date]) -> list[str]:
    """A mark where each year begins, at most a dozen of them; of few years each month's. A mark is named where that
    touches no other's name."""
    firsts = _firsts(starts, "%Y")
    if len(firsts) < _FEW_YEARS:
        firsts = _firsts(starts, "%Y-%m")
    every = -(-len(firsts) // 12)
    xs, marks, free = _across(len(starts)), [], 0.0
    for number, name in list(firsts.items())[::every]:
        x, width = xs[number], _LETTER_WIDTH * len(name)
        marks.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{AREA_HEIGHT}"/>')
        begin = min(x + 3, WIDTH - width)
        if begin >= free:
            marks.append(_time(name, begin, width))
            free = begin + width
    return marks


def _firsts(starts: Sequence[date], form: str) -> dict[int, str]:
    """Where each year, or month, begins among the points in time, with its name."""
    names = [f"{start:{form}}" for start in starts]
    return {number: name for number, name in enumerate(names) if not number or name != names[number - 1]}


def _time(name: str, x: float, width: float) -> str:
    """A name beneath its mark, or at the edge where it would not fit."""
    place = f'class="label" x="{WIDTH}"' if x >= WIDTH - width else f'x="{x:.1f}"'
    return f'<text {place} y="{AREA_HEIGHT + 20}">{name}</text>'


def _steps(top: int) -> list[str]:
    """Round numbers of lines, and how high they are; none so near to the highest point that the words would touch."""
    step = round_step(top)
    heights = [(value, _height(value, top)) for value in range(step, top, step)]
    return [
        f'<line class="grid" x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="over" x="3" y="{y - 4:.1f}">{value:,}</text>'
        for value, y in heights
        if y > _HEADROOM + 12
    ]


def round_step(top: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, … of which no more than a few make `top`."""
    step, factors = 1, itertools.cycle((2, 2.5, 2))
    while top / step > _MOST_STEPS:
        step = int(step * next(factors))
    return step


def _highest(told: str) -> str:
    return f'<text class="label over" x="{WIDTH - 4}" y="0" dy="1em">{escape(told)}</text>'
