"""Draws what is owned as rectangles by size, each divided among its owners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from bot.jobs.analysis.faces.canvas import WIDTH, cut, svg

HEIGHT = 360
_LABELLED = 26  # the least width and height of a rectangle that is called by name
_LETTER = 7  # the width of one in a label


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


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in picture units."""

    x: float
    y: float
    width: float
    height: float


def treemap(groups: Sequence[Group], title: str) -> str:
    """Rectangles by size, largest first, each made of its parts. Empty when there is nothing to show."""
    shown = sorted((group for group in groups if group.size > 0), key=lambda group: -group.size)
    if not shown:
        return ""
    boxes = squarify([group.size for group in shown], Box(0, 0, WIDTH, HEIGHT))
    shapes = [shape for group, box in zip(shown, boxes, strict=True) for shape in _group(group, box)]
    return svg(HEIGHT, title, shapes)


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


def _group(group: Group, box: Box) -> Iterator[str]:
    """The parts, and over them an outline with the label, where there is room for one."""
    parts = sorted((part for part in group.parts if part.size > 0), key=lambda part: -part.size)
    inner = squarify([part.size for part in parts], box)
    yield from (_tile(part, part_box) for part, part_box in zip(parts, inner, strict=True))
    yield f'<rect class="outline" {_corners(box)}><title>{escape(group.told)}</title></rect>'
    if min(box.width, box.height) > _LABELLED:
        small = " small" if min(box.width / 3, box.height) < 2 * _LABELLED else ""
        label = cut(group.label, int((box.width - 8) / _LETTER))
        yield f'<svg {_corners(box)}><text class="on{small}" x="6" y="4" dy="1em">{escape(label)}</text></svg>'


def _tile(tile: Tile, box: Box) -> str:
    return f'<rect class="tile s{tile.series}" {_corners(box)}><title>{escape(tile.told)}</title></rect>'


def _corners(box: Box) -> str:
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
