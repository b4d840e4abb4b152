"""Writes a report as CSV: one row for each author."""

from __future__ import annotations

import csv
from pathlib import Path

from bot.jobs.analysis.report import AuthorReport, Report

_COLUMNS = ("name", "email", "lines", "share", "files", "commits", "added", "deleted", "firstCommit", "lastCommit")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(report: Report, path: Path) -> None:
    """Write all authors, their languages by lines in the last column. Raises OSError where it cannot be written."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*_COLUMNS, "languages"])
        writer.writerows(_row(entry) for entry in report.authors)


def _row(entry: AuthorReport) -> list[object]:
    told = entry.to_json()
    languages = "; ".join(f"{name} {lines}" for name, lines in entry.languages.items())
    return [_harmless(told[column]) for column in _COLUMNS] + [languages]


def _harmless(value: object) -> object:
    """A name that a spreadsheet would run as a formula gets a quote in front, as OWASP advises."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
