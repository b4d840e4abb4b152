"""Draws a share as a bar of text."""

from __future__ import annotations

BAR = 20
"""Places of a bar, unless told otherwise."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int = BAR) -> str:
    """A bar of `width` places for a share between 0 and 1, to an eighth of a place."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    rest = _EIGHTHS[eighths % 8] if eighths % 8 else ""
    return "█" * (eighths // 8) + rest
