"""Shows what the shell was asked for: the table or the published JSON, and files for a spreadsheet or a browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import orjson

from bot.jobs.analysis.faces.spreadsheet import csv_of
from bot.jobs.analysis.reports.portfolio import add_up
from bot.jobs.analysis.reports.report import Report


def show(reports: Sequence[Report], out: TextIO, *, as_json: bool) -> None:
    """One report, or the sum of several with each of them."""
    if as_json:
        out.write(orjson.dumps(_told(reports), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
        return
    from bot.jobs.analysis.faces import table  # not needed where JSON is asked for, and slow to import

    if len(reports) == 1:
        table.show(reports[0], out)
    else:
        table.show_portfolio(add_up(reports), out)


def _told(reports: Sequence[Report]) -> dict[str, Any]:
    if len(reports) == 1:
        return reports[0].to_json()
    return {**add_up(reports).to_json(), "reports": [report.to_json() for report in reports]}


def write(reports: Sequence[Report], csv_path: Path | None, html_path: Path | None) -> None:
    """Write the files that were asked for. Raises OSError."""
    if csv_path is not None:
        csv_path.write_text(csv_of(*reports), "utf-8", newline="")
    if html_path is not None:
        html_path.write_text(_page(reports), "utf-8")


def _page(reports: Sequence[Report]) -> str:
    """The page of one report, or of the sum of several; with its pictures of no use to any other answer."""
    if len(reports) > 1:
        from bot.jobs.analysis.faces.portfolio_page import render_portfolio

        return render_portfolio(add_up(reports))
    from bot.jobs.analysis.faces.page import render_page

    return render_page(reports[0])
