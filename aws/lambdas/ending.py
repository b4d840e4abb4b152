"""Ends a deployment in the table with what its reader needs: a code, and a sentence in the language it was asked in."""

from __future__ import annotations

from datetime import datetime

from bot import messages
from bot.asked import Asked, Waits
from bot.errors import ShipmateError
from bot.model import JobState


def ended(asked: Asked, error: Exception, now: datetime, code: str | None = None) -> Asked:
    """FAILED, and why; the server has to note it. `code` is what it is published as, if not the error's own.

    Of a bug its class alone is told.
    """
    if isinstance(error, ShipmateError):
        known, facts = error.code, error.facts
    else:
        known, facts = "unexpected_error", {"exception_class": type(error).__name__}
    words = messages.failure(asked.language, known, facts)
    return asked.gone_to(JobState.FAILED, now, Waits.SERVER, errorCode=code or known.upper(), errorMessage=words)
