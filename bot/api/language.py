"""Decides which language an answer is in: the reader's first choice among ours, else the server's own."""

from __future__ import annotations

import re

from bot.messages import LOCALES

MOST_CHOICES = 20
_CHOICE = re.compile(
    r"\s*(?P<tag>[A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*(?P<weight>[01](?:\.\d{0,3})?)\s*)?"
)


def language_of(accept_language: str | None, default: str) -> str:
    """`ko` for `ko-KR,ko;q=0.9,en;q=0.8`; `default` without a choice of ours. Choices that make no sense are skipped.

    https://www.rfc-editor.org/rfc/rfc9110#field.accept-language
    """
    wanted = [_choice(part) for part in (accept_language or "").split(",")[:MOST_CHOICES]]
    ranked = sorted((choice for choice in wanted if choice), key=lambda choice: -choice[1])
    for tag, weight in ranked:
        if tag == "*" and weight:
            return default
        if tag in LOCALES and weight:
            return tag
    return default


def _choice(part: str) -> tuple[str, float] | None:
    """The main language and its weight, 1 where none is given."""
    match = _CHOICE.fullmatch(part)
    return (match["tag"].lower(), float(match["weight"] or 1)) if match else None
