"""Writes a report as CSV: one row for each author."""

from __future__ import annotations

import csv
import io

from bot.cells import harmless
from bot.jobs.analysis.reports.report import AuthorReport, Report

_COLUMNS = ("name", "email", "lines", "share", "files", "commits", "added", "deleted", "firstCommit", "lastCommit")


def csv_of(*reports: Report) -> str:
    """All authors, their languages by lines in the last column; of several reports, each author's repository too."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    first = ("repository",) if len(reports) > 1 else ()
    writer.writerow([*first, *_COLUMNS, "languages"])
    for report in reports:
        named = [harmless(report.repository)] if first else []
        writer.writerows([*named, *_row(entry)] for entry in report.authors)
    return file.getvalue()


def _row(entry: AuthorReport) -> list[object]:
    told = entry.to_json()
    languages = "; ".join(f"{name} {lines}" for name, lines in entry.languages.items())
    return [harmless(told[column]) for column in _COLUMNS] + [languages]
