"""What the gate said of a new version while it was given traffic: a line a verdict, with the figures that decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.messages import UNKNOWN
from bot.model import Event

ICONS: Mapping[str, str] = {"pass": "✅", "fail": "❌", "inconclusive": "➖"}


def judged(story: Sequence[Event]) -> tuple[Event, ...]:
    """The events that tell a verdict, oldest first."""
    return tuple(event for event in story if event.details.get("verdict") in ICONS)


def gate_lines(verdicts: Sequence[Event]) -> str:
    """A list in Markdown; empty where nothing was judged."""
    return "\n".join(_line(event) for event in verdicts)


def _line(event: Event) -> str:
    details, sentence = event.details, event.message.partition("] ")[2] or event.message
    figures = [f"{colour}: {_figures(details[colour])}" for colour in ("green", "blue") if details.get(colour)]
    return f"- {ICONS[details['verdict']]} {sentence} ({'; '.join(figures)})"


def _figures(figures: Mapping[str, Any]) -> str:
    """`500 × · 0.2 % · p50 4 ms · p95 20 ms`: requests, errors, latencies."""
    errors, p50, p95 = (_amount(figures.get(name)) for name in ("errorPercent", "p50Ms", "p95Ms"))
    return f"{_amount(figures.get('requests'))} × · {errors} % · p50 {p50} ms · p95 {p95} ms"


def _amount(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}"
