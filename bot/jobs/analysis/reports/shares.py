"""Parts of a total, as every report tells them."""

from __future__ import annotations


def share(part: int, total: int) -> float:
    """A part of a total, between 0 and 1, to six places."""
    return round(part / total, 6) if total else 0.0
