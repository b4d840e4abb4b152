"""Reads the dates of a request: ISO 8601, days of UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.errors import UserMistake

DATE = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"}
"""The form of a date, for a schema."""


def day(given: Mapping[str, Any], name: str, code: str) -> date | None:
    """A date that is in the calendar, None where none was given. Raises UserMistake(code): not the 31st of June."""
    try:
        return date.fromisoformat(given[name]) if given.get(name) else None
    except ValueError as error:
        raise UserMistake(code, fields=[{"field": name, "rule": "wrong_form", "wanted": "YYYY-MM-DD"}]) from error
