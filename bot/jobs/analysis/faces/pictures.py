"""Draws a report as SVG: a stacked area of languages over time, a treemap of who owns which folder, bars.

Each picture is one `<svg>` element that takes its colours from the page's style (`.s0`, `.s1`, … for series) and tells
its numbers in `<title>` elements, which browsers show on hovering and screen readers read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import NamedTuple

COLOURS = 10
"""Series colours of the page's style; the last one is for all others."""

OTHERS = "all others"
WIDTH, AREA_HEIGHT, MAP_HEIGHT = 960, 260, 360
_AXIS = 22
_HEADROOM = 20  # above the highest point, for the number that says how high it is
_ROW = 26
_LABEL = 220
_NUMBER = 110


class Band(NamedTuple):
    """One series of a stacked area: its name and a value for each point in time."""

    name: str
    values: Sequence[int]


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


def stacked_area(starts: Sequence[date], bands: Sequence[Band], title: str) -> str:
    """Bands piled up over time; the first lies at the bottom. Empty when there is nothing to show.

    A single point in time is drawn as one that lasted.
    """
    if len(starts) == 1:
        starts, bands = [*starts] * 2, [Band(band.name, [*band.values] * 2) for band in bands]
    totals = [sum(values) for values in zip(*(band.values for band in bands), strict=True)]
    top = max(totals, default=0)
    if not top:
        return ""
    floor = [0] * len(starts)
    shapes = []
    for number, band in enumerate(bands):
        ceiling = [low + value for low, value in zip(floor, band.values, strict=True)]
        path = _area(_across(len(starts)), floor, ceiling, top)
        told = f"{band.name}: {sum(band.values):,} lines"
        shapes.append(f'<path class="s{number % COLOURS}" d="{path}"><title>{escape(told)}</title></path>')
        floor = ceiling
    return _svg(WIDTH, AREA_HEIGHT + _AXIS, title, [*shapes, *_years(starts), _scale(top)])


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
        shapes.append(f'<text class="label" x="{_LABEL - 10}" y="{y + 17}">{escape(_cut(row.label, 30))}</text>')
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
        f'<text x="{min(xs[number] + 3, WIDTH - 32):.1f}" y="{AREA_HEIGHT + 16}">{starts[number].year}</text>'
        for number in firsts[::every]
    ]


def _scale(top: int) -> str:
    return f'<text class="label" x="{WIDTH - 4}" y="12">{top:,} lines</text>'


def _group(group: Group, box: Box) -> Iterator[str]:
    """The parts, and over them an outline with the label, where there is room for one."""
    parts = sorted((part for part in group.parts if part.size > 0), key=lambda part: -part.size)
    inner = squarify([part.size for part in parts], box)
    yield from (_tile(part, part_box) for part, part_box in zip(parts, inner, strict=True))
    yield f'<rect class="outline" {_corners(box)}><title>{escape(group.told)}</title></rect>'
    label = _cut(group.label, int(box.width / 7.5))
    if box.height > 22 and label:
        yield f'<text class="on" x="{box.x + 6:.1f}" y="{box.y + 17:.1f}">{escape(label)}</text>'


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


def stacked(points: Sequence[date], values: Mapping[str, Mapping[date, int]]) -> list[Band]:
    """Bands of the largest series, all others joined in one."""
    ranked = sorted(values, key=lambda name: (-sum(values[name].values()), name))
    shown, rest = ranked[: COLOURS - 1], ranked[COLOURS - 1 :]
    bands = [Band(name, [values[name].get(point, 0) for point in points]) for name in shown]
    if rest:
        bands.append(Band(OTHERS, [sum(values[name].get(point, 0) for name in rest) for point in points]))
    return bands
