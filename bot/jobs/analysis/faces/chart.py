"""Draws a report as one picture that needs no page: languages over time, and lines by author, as SVG or PNG."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from bot import messages
from bot.jobs.analysis.faces.area import AREA_HEIGHT, AXIS_HEIGHT, Band, stacked, stacked_area
from bot.jobs.analysis.faces.canvas import COLOURS, WIDTH, cut, svg
from bot.jobs.analysis.faces.names import Names
from bot.jobs.analysis.faces.words import area_words, language_name
from bot.jobs.analysis.reports.portfolio import add_up
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.timeline import growth

SHOWN_AUTHORS = 8
_TITLE, _GAP, _LEGEND, _ROW = 44, 18, 26, 26
_MARGIN = 20
_LABEL, _NUMBER = 220, 110  # beside a bar
_CSS = Path(__file__).parent / "data" / "page.css"
_COLOUR = re.compile(r"--(\w+): (#[0-9a-f]{3,8})")


class _Bar(NamedTuple):
    """One bar: its label, its length as a share of the longest, its text and its series' number."""

    label: str
    share: float
    text: str
    series: int


def draw_svg(report: Report, locale: str = "en") -> str:
    """The picture, in the colours of a light or a dark page as the reader has it."""
    light, dark = _palettes()
    return _draw(report, locale, f"{_style(light)}@media (prefers-color-scheme: dark) {{{_style(dark)}}}")


def draw_png(report: Report) -> bytes:
    """The picture in the light colours and in English, for places that show no SVG.

    Its letters need a font of the system, and not every system has one for Hangul.
    """
    import resvg_py  # with the first picture: a renderer is half a megabyte of code

    light, _ = _palettes()
    drawn = _draw(report, "en", _style(light))
    return bytes(resvg_py.svg_to_bytes(svg_string=drawn, zoom=2.0, font_family=_FONT, sans_serif_family=_FONT))


_FONT = "DejaVu Sans"


def _draw(report: Report, locale: str, style: str) -> str:
    y, shapes = _TITLE, [_heading(report)]
    points, alive = growth(report.week, report.month)
    by_name = {language_name(locale, name): values for name, values in alive.items()}
    bands = stacked(points, by_name, messages.say(locale, "contributions.all_others"))
    area = stacked_area(points, bands, area_words(locale))
    if area:
        below = y + AREA_HEIGHT + AXIS_HEIGHT
        shapes += [_placed(area, y, AREA_HEIGHT + AXIS_HEIGHT), _legend(bands, below)]
        y = below + _LEGEND + _GAP
    people = [one for one in add_up([report]).people[:SHOWN_AUTHORS] if one.lines]
    top, names = max((one.lines for one in people), default=1), Names(one.author for one in people)
    rows = [
        _Bar(names.of(one.author), one.lines / top, f"{one.lines:,} ({one.share:.1%})", number % COLOURS)
        for number, one in enumerate(people)
    ]
    shapes.append(_placed(_bars(rows, messages.say(locale, "contributions.lines_by_author")), y, _ROW * len(rows)))
    width, height = WIDTH + 2 * _MARGIN, y + _ROW * len(rows) + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img"><style>{style}</style><rect class="ground" width="{width}" height="{height}"/>'
        f'<g transform="translate({_MARGIN} 0)">{"".join(shapes)}</g></svg>'
    )


def _bars(rows: Sequence[_Bar], title: str) -> str:
    """Horizontal bars with their labels and numbers. Empty when there is nothing to show."""
    if not rows:
        return ""
    room = WIDTH - _LABEL - _NUMBER
    shapes = []
    for number, row in enumerate(rows):
        y, width = number * _ROW, max(1.0, row.share * room)
        shapes.append(f'<text class="label" x="{_LABEL - 10}" y="{y + 17}">{escape(cut(row.label, 28))}</text>')
        shapes.append(f'<rect class="s{row.series}" x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="18" rx="3"/>')
        shapes.append(f'<text x="{_LABEL + width + 8:.1f}" y="{y + 17}">{escape(row.text)}</text>')
    return svg(len(rows) * _ROW, title, shapes)


def _heading(report: Report) -> str:
    words = f"{report.repository} · {report.head[:7]}"
    return f'<text class="heading" x="0" y="28">{escape(words)}</text>'


def _placed(picture: str, y: int, height: int) -> str:
    """A picture inside the picture."""
    return picture.replace("<svg ", f'<svg y="{y}" width="{WIDTH}" height="{height}" ', 1)


def _legend(bands: Sequence[Band], y: int) -> str:
    """Names in one row, as many as fit."""
    x, keys = 0.0, []
    for name, _, series in bands:
        width = 26 + 7.2 * len(name)
        if x + width > WIDTH:
            break
        keys.append(
            f'<rect class="s{series}" x="{x:.0f}" y="{y + 6}" width="10" height="10" rx="2"/>'
            f'<text x="{x + 15:.0f}" y="{y + 15}">{escape(name)}</text>'
        )
        x += width
    return "".join(keys)


def _style(colours: Mapping[str, str]) -> str:
    """The page's look with each colour spelt out: renderers and readers of pictures know no variables."""
    series = "".join(f".s{number}{{fill:{colours[f'c{number}']}}}" for number in range(COLOURS))
    return (
        f"{series}.ground{{fill:{colours['ground']}}}.grid{{stroke:{colours['line']};stroke-width:1}}"
        f"text{{font:12px {_FONT},system-ui,sans-serif;fill:{colours['ink']}}}text.label{{text-anchor:end}}"
        "text.heading{font-size:15px;font-weight:600}"
        f"text.over{{paint-order:stroke;stroke:{colours['ground']};stroke-width:3px}}"
    )


@functools.cache
def _palettes() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The page's own colours, light and dark."""
    light, dark = _CSS.read_text("utf-8").split("prefers-color-scheme: dark")
    known = dict(_COLOUR.findall(light))
    return known, {**known, **dict(_COLOUR.findall(dark))}
