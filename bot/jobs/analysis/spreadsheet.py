"""Writes a report as CSV: one row for each author."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bot.cells import harmless
from bot.jobs.analysis.report import AuthorReport, Report

_COLUMNS = ("name", "email", "lines", "share", "files", "commits", "added", "deleted", "firstCommit", "lastCommit")


def write_csv(report: Report, path: Path) -> None:
    """Write the file. Raises OSError where it cannot be written."""
    path.write_text(csv_of(report), "utf-8", newline="")


def csv_of(report: Report) -> str:
    """All authors, their languages by lines in the last column."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([*_COLUMNS, "languages"])
    writer.writerows(_row(entry) for entry in report.authors)
    return file.getvalue()


def _row(entry: AuthorReport) -> list[object]:
    told = entry.to_json()
    languages = "; ".join(f"{name} {lines}" for name, lines in entry.languages.items())
    return [harmless(told[column]) for column in _COLUMNS] + [languages]
