"""What all pictures of a report share: how wide they are, their colours, and their one `<svg>` element.

Each takes its colours from the page's style (`.s0`, `.s1`, … for series) and tells its numbers in `<title>` elements,
which browsers show on hovering; who cannot see it is told its title, and the numbers by the table beside it. All words
come from the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

COLOURS = 10
"""Series colours of the page's style; the last one is for all others."""
REST = COLOURS - 1
WIDTH = 960


def svg(height: float, title: str, shapes: Sequence[str]) -> str:
    """A picture of these shapes; `title` is text."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(shapes)}</svg>"
    )


def cut(text: str, room: int) -> str:
    """A text that fits into so many letters; nothing where not even three would."""
    if len(text) <= room:
        return text
    return text[: room - 1] + "…" if room >= 4 else ""
