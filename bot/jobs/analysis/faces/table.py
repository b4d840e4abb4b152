"""Shows a report on a terminal: authors with bars, languages, and what was left out."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bot.jobs.analysis.faces.bars import BAR, bar
from bot.jobs.analysis.reports.portfolio import Portfolio
from bot.jobs.analysis.reports.report import Report

SHOWN = 15
_WIDE = 110  # columns of a terminal that has room for bars and languages beside all numbers


def show(report: Report, out: TextIO) -> None:
    """Print the report's tables, with bars where the terminal is wide enough."""
    console = Console(file=out, highlight=False)
    console.print(
        Group(_headline(report), _authors(report, wide=console.width >= _WIDE), _languages(report), *_notes(report))
    )


def show_portfolio(portfolio: Portfolio, out: TextIO) -> None:
    """Print who wrote what across repositories."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("Author", overflow="ellipsis", no_wrap=True, max_width=40, min_width=12)
    for name in ("Lines", "Share", "Commits", "Repositories"):
        table.add_column(name, justify="right", no_wrap=True)
    for person in portfolio.people[:SHOWN]:
        own = sum(1 for lines in person.repositories.values() if lines)
        shown = Text(person.author.name or person.author.email)
        table.add_row(shown, f"{person.lines:,}", f"{person.share:.1%}", f"{person.commits:,}", f"{own:,}")
    names = ", ".join(portfolio.repositories)
    counts = f"{portfolio.lines:,} lines in {portfolio.files:,} files"
    head = Text(f"{len(portfolio.repositories)} repositories: {counts}", "bold")
    Console(file=out, highlight=False).print(Group(head, Text(names, "dim"), table))


def _headline(report: Report) -> Text:
    exact = "exactly as git blame says" if report.exact else "not exact, see below"
    return Text(
        f"{report.repository} at {report.head[:12]}: {report.lines:,} lines in {report.files:,} files, {exact}", "bold"
    )


def _authors(report: Report, *, wide: bool) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("Author", overflow="ellipsis", no_wrap=True, max_width=40, min_width=12)
    for name in ("Lines", "Share"):
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("", min_width=BAR)
    for name in ("Files", "Commits", "Added", "Deleted"):
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("Languages", overflow="ellipsis", no_wrap=True)
    for entry in report.authors[:SHOWN]:
        table.add_row(
            Text(entry.author.name or entry.author.email),
            f"{entry.lines:,}",
            f"{entry.share:.1%}",
            *([bar(entry.share)] if wide else []),
            f"{entry.files:,}",
            f"{entry.commits:,}",
            f"+{entry.added:,}",
            f"-{entry.deleted:,}",
            *([", ".join(list(entry.languages)[:3])] if wide else []),
        )
    rest = len(report.authors) - SHOWN
    if rest > 0:
        table.add_row(f"and {rest} more")
    return table


def _languages(report: Report) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("Language")
    table.add_column("Lines", justify="right")
    table.add_column("Share", justify="right")
    table.add_column("", min_width=BAR)
    for entry in report.languages[:SHOWN]:
        table.add_row(entry.name, f"{entry.lines:,}", f"{entry.share:.1%}", bar(entry.share))
    return table


def _notes(report: Report) -> list[Text]:
    notes = [f"Framework: {entry.name} in {entry.path} ({entry.evidence})" for entry in report.frameworks]
    if report.excluded:
        notes.append(
            f"{len(report.excluded)} files left out (vendored, generated, too large); --all-files counts them."
        )
    return [Text(note, "dim") for note in notes] + [Text(warning, "yellow") for warning in report.warnings]
