"""Writes a report as CSV: one row for each author."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from bot.cells import harmless
from bot.jobs.analysis.reports.report import AuthorReport, Report

_COLUMNS = ("name", "email", "lines", "share", "files", "commits", "added", "deleted", "firstCommit", "lastCommit")


def csv_of(*reports: Report) -> str:
    """All authors, with their lines by language, changed files by extension and GitHub login where it is known; of
    several reports, each author's repository too."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    first = ("repository",) if len(reports) > 1 else ()
    writer.writerow([*first, *_COLUMNS, "languages", "extensions", "login"])
    for report in reports:
        named = [harmless(report.repository)] if first else []
        writer.writerows([*named, *_row(entry, report.login(entry.author))] for entry in report.authors)
    return file.getvalue()


def _row(entry: AuthorReport, login: str | None) -> list[object]:
    told = entry.to_json()
    counted = [_counted(entry.languages), _counted(entry.extensions), login or ""]
    return [harmless(cell) for cell in [*(told[column] for column in _COLUMNS), *counted]]


def _counted(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{name} {count}" for name, count in counts.items())
