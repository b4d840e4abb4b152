"""Draws a report as SVG: a stacked area of languages over time, a treemap of who owns which folder, bars.

Each picture is one `<svg>` element that takes its colours from the page's style (`.s0`, `.s1`, … for series) and tells
its numbers in `<title>` elements, which browsers show on hovering; who cannot see it is told its title, and the numbers
by the table beside it. All words come from the caller.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import NamedTuple

COLOURS = 10
"""Series colours of the page's style; the last one is for all others."""

WIDTH, AREA_HEIGHT, AXIS_HEIGHT, MAP_HEIGHT = 960, 260, 26, 360
_MOST_STEPS = 4  # of the scale
_HEADROOM = 20  # above the highest point, for the number that says how high it is
_ROW = 26
_LABEL = 220
_NUMBER = 110


class Band(NamedTuple):
    """One series of a stacked area: its name, a value for each point in time, and its series' number."""

    name: str
    values: Sequence[int]
    series: int


class Tile(NamedTuple):
    """One part of a treemap: how large it is, its series' number, and what hovering tells."""

    size: int
    series: int
    told: str


class Group(NamedTuple):
    """One rectangle of a treemap that holds others: what it is, what hovering tells, and its parts."""

    label: str
    told: str
    parts: Sequence[Tile]

    @property
    def size(self) -> int:
        """All parts together."""
        return sum(part.size for part in self.parts)


class Bar(NamedTuple):
    """One bar: its label, its length as a share of the longest, its text and its series' number."""

    label: str
    share: float
    text: str
    series: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in picture units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Words:
    """What a stacked area says: its title, how high it is at most, and what hovering over a band tells."""

    title: str
    top: Callable[[int], str]
    band: Callable[[str, int], str]


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
    marks = [*_years(starts), *_steps(top), _highest(words.top(top))]
    return _svg(WIDTH, AREA_HEIGHT + AXIS_HEIGHT, words.title, [*shapes, *marks])


def treemap(groups: Sequence[Group], title: str) -> str:
    """Rectangles by size, largest first, each made of its parts. Empty when there is nothing to show."""
    shown = sorted((group for group in groups if group.size > 0), key=lambda group: -group.size)
    if not shown:
        return ""
    boxes = squarify([group.size for group in shown], Box(0, 0, WIDTH, MAP_HEIGHT))
    shapes = [shape for group, box in zip(shown, boxes, strict=True) for shape in _group(group, box)]
    return _svg(WIDTH, MAP_HEIGHT, title, shapes)


def bars(rows: Sequence[Bar], title: str) -> str:
    """Horizontal bars with their labels and numbers. Empty when there is nothing to show."""
    if not rows:
        return ""
    room = WIDTH - _LABEL - _NUMBER
    shapes = []
    for number, row in enumerate(rows):
        y, width = number * _ROW, max(1.0, row.share * room)
        shapes.append(f'<text class="label" x="{_LABEL - 10}" y="{y + 17}">{escape(_cut(row.label, 28))}</text>')
        shapes.append(f'<rect class="s{row.series}" x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="18" rx="3"/>')
        shapes.append(f'<text x="{_LABEL + width + 8:.1f}" y="{y + 17}">{escape(row.text)}</text>')
    return _svg(WIDTH, len(rows) * _ROW, title, shapes)


def squarify(sizes: Sequence[int], room: Box) -> list[Box]:
    """Rectangles for sizes given largest first, as square as can be.

    Source: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000).
    """
    scale = room.width * room.height / (sum(sizes) or 1)
    areas = [size * scale for size in sizes]
    boxes: list[Box] = []
    while areas:
        side = min(room.width, room.height)
        count = _row_length(areas, side)
        row, areas = areas[:count], areas[count:]
        placed, room = _place(row, room)
        boxes += placed
    return boxes


def _row_length(areas: Sequence[float], side: float) -> int:
    """How many areas make a row before its worst shape gets worse."""
    best = _worst(areas[:1], side)
    for count in range(2, len(areas) + 1):
        worst = _worst(areas[:count], side)
        if worst > best:
            return count - 1
        best = worst
    return len(areas)


def _worst(row: Sequence[float], side: float) -> float:
    """The largest ratio of sides in a row laid along `side`."""
    total = sum(row)
    if not total or not side:
        return float("inf")
    return max(side * side * max(row) / (total * total), total * total / (side * side * min(row)))


def _place(row: Sequence[float], room: Box) -> tuple[list[Box], Box]:
    """Lay a row along the shorter side; returns its boxes and the room left."""
    total = sum(row)
    if room.width >= room.height:
        width, y, boxes = total / room.height if room.height else 0, room.y, []
        for area in row:
            height = area / width if width else 0
            boxes.append(Box(room.x, y, width, height))
            y += height
        return boxes, Box(room.x + width, room.y, max(0.0, room.width - width), room.height)
    turned, left = _place(row, Box(room.y, room.x, room.height, room.width))
    return [_turn(box) for box in turned], _turn(left)


def _turn(box: Box) -> Box:
    return Box(box.y, box.x, box.height, box.width)


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


def _years(starts: Sequence[date]) -> list[str]:
    """A mark where each year begins, at most a dozen of them."""
    firsts = [number for number, start in enumerate(starts) if not number or start.year != starts[number - 1].year]
    every = -(-len(firsts) // 12)
    xs = _across(len(starts))
    return [
        f'<line class="grid" x1="{xs[number]:.1f}" x2="{xs[number]:.1f}" y1="0" y2="{AREA_HEIGHT}"/>'
        + _year(starts[number].year, xs[number] + 3)
        for number in firsts[::every]
    ]


def _year(year: int, x: float) -> str:
    """A year beneath its mark, or at the edge where it would not fit."""
    place = f'class="label" x="{WIDTH}"' if x > WIDTH - 70 else f'x="{x:.1f}"'
    return f'<text {place} y="{AREA_HEIGHT + 20}">{year}</text>'


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


def _group(group: Group, box: Box) -> Iterator[str]:
    """The parts, and over them an outline with the label, where there is room for one."""
    parts = sorted((part for part in group.parts if part.size > 0), key=lambda part: -part.size)
    inner = squarify([part.size for part in parts], box)
    yield from (_tile(part, part_box) for part, part_box in zip(parts, inner, strict=True))
    yield f'<rect class="outline" {_corners(box)}><title>{escape(group.told)}</title></rect>'
    if min(box.width, box.height) > _ROW:
        small = " small" if min(box.width / 3, box.height) < 2 * _ROW else ""
        yield f'<svg {_corners(box)}><text class="on{small}" x="6" y="4" dy="1em">{escape(group.label)}</text></svg>'


def _tile(tile: Tile, box: Box) -> str:
    return f'<rect class="tile s{tile.series}" {_corners(box)}><title>{escape(tile.told)}</title></rect>'


def _corners(box: Box) -> str:
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'


def _cut(text: str, room: int) -> str:
    """A text that fits; nothing where not even three letters would."""
    if len(text) <= room:
        return text
    return text[: room - 1] + "…" if room >= 4 else ""


def _svg(width: float, height: float, title: str, shapes: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(shapes)}</svg>"
    )


def stacked(points: Sequence[date], values: Mapping[str, Mapping[date, int]], others: str) -> list[Band]:
    """Bands of the largest series, all others joined in one of that name."""
    ranked = sorted(values, key=lambda name: (-sum(values[name].values()), name))
    shown, rest = ranked[: COLOURS - 1], ranked[COLOURS - 1 :]
    bands = [Band(name, [values[name].get(point, 0) for point in points], at) for at, name in enumerate(shown)]
    if rest:
        joined = [sum(values[name].get(point, 0) for name in rest) for point in points]
        bands.append(Band(others, joined, COLOURS - 1))
    return bands
