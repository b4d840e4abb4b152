"""Makes the pieces of a page: its frame, sections, figures, legends, and tables whose rows may hold bars."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

_STYLE = Path(__file__).parent / "data" / "page.css"


class Percent(NamedTuple):
    """A share between 0 and 1, told as a number."""

    share: float


class Length(NamedTuple):
    """A share between 0 and 1, drawn as a bar in a series' colour; the number stands beside it."""

    share: float
    series: int = 0


Cell = str | int | Percent | Length
Row = Sequence[Cell]


class Key(NamedTuple):
    """One entry of a legend."""

    name: str
    series: int


def document(locale: str, title: str, inside: str) -> str:
    """A whole page that needs nothing else and runs nothing; `inside` is HTML."""
    return (
        f'<!doctype html><html lang="{escape(locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{style()}</style></head>"
        f"<body><main>{inside}</main></body></html>\n"
    )


@functools.cache
def style() -> str:
    """The page's style sheet, which stands in the page itself."""
    return _STYLE.read_text("utf-8")


def facts(told: Mapping[str, str]) -> str:
    """The few numbers that matter most, large, each under its name."""
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in told.items())
    return f'<dl class="facts">{listed}</dl>'


def section(heading: str, *parts: str) -> str:
    """A part of the page; `parts` are HTML. Empty where all of them are."""
    inside = "".join(parts)
    return f"<section><h2>{escape(heading)}</h2>{inside}</section>" if inside else ""


def figure(picture: str, keys: Iterable[Key]) -> str:
    """A picture with its legend; empty without a picture."""
    listed = "".join(f"<li>{_swatch(key.series)}{escape(key.name)}</li>" for key in keys)
    return f'<figure>{picture}<ul class="legend">{listed}</ul></figure>' if picture else ""


def _swatch(series: int) -> str:
    return f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="s{series}" width="10" height="10" rx="2"/></svg>'


def note(text: str) -> str:
    """A remark beneath what it is about."""
    return f'<p class="note">{escape(text)}</p>' if text else ""


def folded(summary: str, inside: str) -> str:
    """What is shown when it is asked for; `inside` is HTML. Empty where that is."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>" if inside else ""


def table(name: str, head: Sequence[str], rows: Sequence[Row], *, phone: int | None = None) -> str:
    """A table, empty without rows: numbers to the right, bars as long as their share.

    `name` is for those who cannot see where it stands. A small screen shows the first `phone` columns only.
    """
    if not rows:
        return ""
    looks = [_looks(cell, at, phone) for at, cell in enumerate(rows[0])]
    heads = "".join(
        f'<th scope="col"{look}>{escape(text)}</th>' if text else f"<td{look}></td>"
        for text, look in zip(head, looks, strict=True)
    )
    body = "".join(_row(row, looks) for row in rows)
    return (
        f'<div class="wide" role="group" tabindex="0" aria-label="{escape(name)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Row, looks: Sequence[str]) -> str:
    """A row, which its first cell names."""
    first = f'<th scope="row"{looks[0]}>{_shown(row[0])}</th>'
    rest = (f"<td{look}>{_shown(cell)}</td>" for cell, look in zip(row[1:], looks[1:], strict=True))
    return f"<tr>{first}{''.join(rest)}</tr>"


def _looks(cell: Cell, at: int, phone: int | None) -> str:
    """The class attribute of a column, by its first cell."""
    kind = {str: "", Length: "bar"}.get(type(cell), "number")
    names = [name for name in (kind, "minor" if phone is not None and at >= phone else "") if name]
    return f' class="{" ".join(names)}"' if names else ""


def _shown(cell: Cell) -> str:
    match cell:
        case Percent(share):
            return f"{share:.1%}"
        case Length(share, series):
            return (
                f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
                f'<rect class="s{series}" width="{max(0.5, 100 * share):.1f}" height="10"/></svg>'
            )
        case int():
            return f"{cell:,}"
        case _:
            return escape(cell)
