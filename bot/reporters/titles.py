"""The one line that says where a job of any kind stands."""

from __future__ import annotations

from bot.model import JobKind
from bot.reporters import analysis, markdown
from bot.reporters.view import JobView


def title_of(view: JobView, locale: str) -> str:
    """Without markup."""
    if view.job.kind is JobKind.ANALYSIS:
        return analysis.title(view, locale)
    return markdown.title(view, locale)
