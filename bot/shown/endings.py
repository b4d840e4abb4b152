"""How a job ended, in the reader's language: one that ended before any worker had it has no words of its own."""

from __future__ import annotations

from bot import messages
from bot.model import JobState
from bot.shown.view import JobView


def ended(view: JobView, locale: str) -> str:
    """The sentence of its end; empty while it has none."""
    job = view.job
    if job.started_at is None and job.state is JobState.SUPERSEDED:
        return messages.say(locale, "ended.superseded")
    if job.started_at is None and job.state is JobState.CANCELLED and job.cancel_asked_by:
        return messages.say(locale, "ended.cancelled_waiting", by=messages.neutral(job.cancel_asked_by))
    return view.message
