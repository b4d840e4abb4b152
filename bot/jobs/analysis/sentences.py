"""Words a refusal or failure of an analysis for where there is no job: what is wrong, and what to do next."""

from __future__ import annotations

from bot import messages
from bot.errors import ShipmateError
from bot.wording import english


def explain(error: ShipmateError, locale: str = "en") -> str:
    """One sentence on what went wrong and what to do next; an unknown code shows itself."""
    known = f"failed.{error.code}" in english.SENTENCES
    return messages.failure(locale, error.code, error.facts) if known else str(error)
