"""Remembers which repositories of a run could not be analysed, so that the reason can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import ShipmateError
from bot.jobs.analysis.reports.portfolio import Skipped
from bot.jobs.analysis.sentences import remark_on

Kept = Mapping[str, Any]
"""One of them as plain JSON in a job's result."""


def skip(failed: Mapping[str, ShipmateError]) -> list[Skipped]:
    """What went wrong, by repository, worded."""
    return [Skipped(name, error.code, remark_on(error)) for name, error in failed.items()]


def to_keep(failed: Mapping[str, ShipmateError]) -> list[Kept]:
    """The same as plain JSON."""
    return [{"repository": name, "code": error.code, "facts": error.facts} for name, error in failed.items()]


def from_kept(kept: Sequence[Kept]) -> list[Skipped]:
    """What was kept, worded."""
    return skip({one["repository"]: ShipmateError(one["code"], **one["facts"]) for one in kept})
