"""Where a job of any kind stands, in plain words: one line, and what stands below it."""

from __future__ import annotations

from bot.model import JobKind
from bot.shown import analysis, markdown, waiting
from bot.shown.endings import ended
from bot.shown.view import JobView


def title_of(view: JobView, locale: str) -> str:
    """Without markup."""
    if view.job.kind is JobKind.ANALYSIS:
        return analysis.title(view, locale)
    return markdown.title(view, locale)


def said_of(view: JobView, locale: str) -> str:
    """What it waits for or how it ended, who approved it and what was set aside. Without markup."""
    words = (waiting.held_sentence(view, locale) or ended(view, locale), waiting.consent(view, locale))
    return " ".join(word for word in words if word).replace("`", "").replace("\n", " ")
