"""Shows what the shell was asked for: the table or the published JSON, and files for a spreadsheet or a browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from bot.jobs.analysis.faces.spreadsheet import csv_of
from bot.jobs.analysis.reports.portfolio import Portfolio, Skipped, add_up
from bot.jobs.analysis.reports.report import Report


class Found(NamedTuple):
    """What the shell asked for came to: a report each, and those of several repositories that have none."""

    reports: Sequence[Report]
    skipped: Sequence[Skipped] = ()

    @property
    def is_one(self) -> bool:
        """Whether one repository was asked for."""
        return len(self.reports) + len(self.skipped) == 1

    def sum(self) -> Portfolio:
        """All of them together."""
        return add_up(self.reports, self.skipped)


def show(found: Found, out: TextIO, *, as_json: bool) -> None:
    """One report, or the sum of several with each of them. Raises OSError where not all of it can be written."""
    if as_json:
        out.write(orjson.dumps(_told(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    else:
        _show_table(found, out)
    out.flush()


def _show_table(found: Found, out: TextIO) -> None:
    from bot.jobs.analysis.faces import table  # not needed where JSON is asked for, and slow to import

    if found.is_one:
        table.show(found.reports[0], out)
    else:
        table.show_portfolio(found.sum(), out)


def _told(found: Found) -> dict[str, Any]:
    if found.is_one:
        return found.reports[0].to_json()
    return {**found.sum().to_json(), "reports": [report.to_json() for report in found.reports]}


def write(found: Found, csv_path: Path | None, html_path: Path | None) -> None:
    """Write the files that were asked for. Raises OSError."""
    if csv_path is not None:
        csv_path.write_text(csv_of(*found.reports), "utf-8", newline="")
    if html_path is not None:
        html_path.write_text(_page(found), "utf-8")


def _page(found: Found) -> str:
    """The page of one report, or of the sum of several; with its pictures of no use to any other answer."""
    if not found.is_one:
        from bot.jobs.analysis.faces.portfolio_page import render_portfolio

        return render_portfolio(found.sum())
    from bot.jobs.analysis.faces.page import render_page

    return render_page(found.reports[0])
