"""Words a refusal or failure of an analysis where it is no job's end: what is wrong, and what to do next."""

from __future__ import annotations

from bot import messages
from bot.errors import ShipmateError
from bot.jobs.analysis.reports.remarks import Remark
from bot.wording import english


def remark_on(error: ShipmateError) -> str:
    """The same for a report, which is read in any language."""
    key = f"failed.{error.code}"
    return Remark(key, dict(error.facts)) if key in english.SENTENCES else str(error)


def explain(error: ShipmateError, locale: str = "en") -> str:
    """One sentence on what went wrong and what to do next; an unknown code shows itself."""
    known = f"failed.{error.code}" in english.SENTENCES
    return messages.failure(locale, error.code, error.facts) if known else str(error)
