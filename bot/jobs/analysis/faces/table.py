"""Shows a report on a terminal: authors and languages with bars, what is good to know, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bot.jobs.analysis.faces.bars import BAR, bar
from bot.jobs.analysis.faces.names import Names, names_with_several_addresses
from bot.jobs.analysis.faces.words import language_name
from bot.jobs.analysis.languages.exclusions import OF_CHOICE, Excluded
from bot.jobs.analysis.reports.codeshares import code_in_words
from bot.jobs.analysis.reports.insights import Insights
from bot.jobs.analysis.reports.portfolio import Portfolio
from bot.jobs.analysis.reports.report import AuthorReport, CoAuthor, LanguageShare, Report

SHOWN = 15
SHOWN_YEARS = 10
NAMED_FEW = 5
_WIDE = 120  # columns of a terminal that has room for languages beside all numbers
_NARROW = 64  # columns of one that has no room for long bars
_SHORT_BAR = 8
_LEAST, _LANGUAGES = 12, 22  # places of names and of languages where room is short
_GAP = 2  # between two columns


def show(report: Report, out: TextIO) -> None:
    """Print the report's tables, as wide as the terminal is."""
    console = Console(file=out, highlight=False)
    tables = [_authors(report, console.width), _languages(report.languages, console.width)]
    if report.insights.age:
        tables.append(_years(report.insights, console.width))
    if report.co_authors:
        tables.append(_co_authors(report.co_authors))
    parted = [part for table in tables for part in (table, Text())]
    _print(console, Group(_headline(report), Text(), *parted, *_notes(report)))


def show_portfolio(portfolio: Portfolio, out: TextIO) -> None:
    """Print who wrote what across repositories, and how much there is of what."""
    together = ", ".join(portfolio.repositories)
    head = Text(f"{len(portfolio.repositories)} repositories: {_lines(portfolio.lines, portfolio.files)}", "bold")
    console = Console(file=out, highlight=False)
    tables = [
        _people(portfolio),
        _repositories(portfolio, console.width),
        _languages(portfolio.language_shares, console.width),
    ]
    parted = [part for table in tables for part in (table, Text())]
    notes = [Text(note, "dim") for note in _code(portfolio.language_shares)]
    _print(console, Group(head, Text(together, "dim"), Text(), *parted, *notes))


def _people(portfolio: Portfolio) -> Table:
    table = _table("Author", "Lines", "Share")
    table.add_column("", min_width=_SHORT_BAR, no_wrap=True)
    for name in ("Commits", "Repositories"):
        table.add_column(name, justify="right", no_wrap=True)
    shown = portfolio.people[:SHOWN]
    names = Names(person.author for person in shown)
    for person in shown:
        counts = f"{person.commits:,}", f"{sum(1 for lines in person.repositories.values() if lines):,}"
        share = f"{person.share:.1%}", bar(person.share, _SHORT_BAR)
        table.add_row(Text(names.of(person.author)), f"{person.lines:,}", *share, *counts)
    _count_rest(table, len(portfolio.people))
    return table


def _repositories(portfolio: Portfolio, width: int) -> Table:
    table, places = _table("Repository", "Lines", "Share"), _places(width)
    table.add_column("", min_width=places)
    lines = portfolio.repository_lines
    for name, count in list(lines.items())[:SHOWN]:
        part = count / (portfolio.lines or 1)
        table.add_row(Text(name), f"{count:,}", f"{part:.1%}", bar(part, places))
    _count_rest(table, len(lines))
    return table


def _count_rest(table: Table, count: int) -> None:
    """A row that says how many are not shown."""
    if count > SHOWN:
        table.add_row(f"and {count - SHOWN:,} more")


def _print(console: Console, part: Group) -> None:
    """Print without the blanks that fill lines up."""
    with console.capture() as caught:
        console.print(part)
    console.file.write("\n".join(line.rstrip() for line in caught.get().split("\n")))


def _headline(report: Report) -> Text:
    exact = "exactly as git blame says" if report.exact else "not exact, see below"
    return Text(f"{report.repository} at {report.head[:7]}: {_lines(report.lines, report.files)}, {exact}", "bold")


def _lines(lines: int, files: int) -> str:
    return f"{_count(lines, 'line')} in {_count(files, 'file')}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _table(first: str, *numbers: str, room: int = 40) -> Table:
    """A table of things, in so many columns of the terminal, and their numbers."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(first, overflow="ellipsis", no_wrap=True, max_width=max(room, _LEAST), min_width=_LEAST)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _authors(report: Report, width: int) -> Table:
    """The authors with the most lines. Numbers are never cut: names and languages share the room they leave."""
    shown, wide = report.authors[:SHOWN], width >= _WIDE
    numbers = _columns(shown, width)
    taken = sum(column.places + _GAP for column in numbers)
    names = Names(entry.author for entry in shown)
    longest = max([cell_len(names.of(entry.author)) for entry in shown], default=0)
    room = max(_LEAST, min(longest, width - taken - (_LANGUAGES + _GAP if wide else 0)))
    table = _table("Author", room=room)
    for column in numbers:
        table.add_column(column.head, justify=column.side, min_width=column.places, no_wrap=True)
    if wide:
        table.add_column("Languages", overflow="ellipsis", no_wrap=True, max_width=width - taken - room - _GAP)
    for entry, *cells in zip(shown, *(column.cells for column in numbers), strict=True):
        told = [language_name("en", name) for name in entry.languages]
        table.add_row(Text(names.of(entry.author)), *cells, *([", ".join(told[:3])] if wide else []))
    _count_rest(table, len(report.authors))
    return table


class _Column(NamedTuple):
    """Numbers of a table or the bars beside them, none of which is ever cut."""

    head: str
    cells: Sequence[str]
    side: Literal["left", "right"] = "right"

    @property
    def places(self) -> int:
        """How wide it is."""
        return max(map(len, (self.head, *self.cells)))


def _columns(shown: Sequence[AuthorReport], width: int) -> list[_Column]:
    """The authors' numbers beside which there is room for a name: what matters least goes first."""
    lines = _Column("Lines", [f"{entry.lines:,}" for entry in shown])
    share = _Column("Share", [f"{entry.share:.1%}" for entry in shown])
    files = _Column("Files", [f"{entry.files:,}" for entry in shown])
    commits = _Column("Commits", [f"{entry.commits:,}" for entry in shown])
    added = _Column("Added", [f"+{entry.added:,}" for entry in shown])
    deleted = _Column("Deleted", [f"-{entry.deleted:,}" for entry in shown])
    long, short = (_Column("", _bars(shown, places), "left") for places in (BAR, _SHORT_BAR))
    if width >= _WIDE:
        return [lines, share, long, files, commits, added, deleted]
    for columns in ([lines, share, short, commits, added, deleted], [lines, share, short, commits], [lines, share]):
        if _LEAST + sum(column.places + _GAP for column in columns) <= width:
            break
    return columns


def _bars(shown: Sequence[AuthorReport], places: int) -> list[str]:
    return [bar(entry.share, places).ljust(places) for entry in shown]


def _places(width: int) -> int:
    """How long bars are beside few numbers."""
    return BAR if width >= _NARROW else _SHORT_BAR


def _languages(languages: Sequence[LanguageShare], width: int) -> Table:
    table, places = _table("Language", "Lines", "Share"), _places(width)
    table.add_column("", min_width=places)
    for entry in languages[:SHOWN]:
        name, lines, drawn = language_name("en", entry.name), f"{entry.lines:,}", bar(entry.share, places)
        table.add_row(name, lines, f"{entry.share:.1%}", drawn)
    _count_rest(table, len(languages))
    return table


def _years(insights: Insights, width: int) -> Table:
    """The newest years: lines there now by when they were written, people who committed, and who came new."""
    table, places = _table("Written in", "Lines", "Share"), _places(width)
    table.add_column("", min_width=places)
    for name in ("People", "New"):
        table.add_column(name, justify="right")
    people = {one.year: (f"{one.authors:,}", f"{one.newcomers:,}") for one in insights.newcomers}
    for one in list(reversed(insights.age))[:SHOWN_YEARS]:
        counts = people.get(one.year, ("0", "0"))
        table.add_row(str(one.year), f"{one.lines:,}", f"{one.share:.1%}", bar(one.share, places), *counts)
    earlier = insights.age[:-SHOWN_YEARS]
    if earlier:
        lines, share = sum(one.lines for one in earlier), sum(one.share for one in earlier)
        table.add_row(f"before {earlier[-1].year + 1}", f"{lines:,}", f"{share:.1%}", bar(share, places))
    return table


def _co_authors(co_authors: Sequence[CoAuthor]) -> Table:
    table = _table("Co-author", "Commits", room=60)
    for person in co_authors[:SHOWN]:
        table.add_row(Text(str(person.author)), f"{person.commits:,}")
    _count_rest(table, len(co_authors))
    return table


def _notes(report: Report) -> list[Text]:
    return [Text(note, "dim") for note in _remarks(report)] + [Text(warning, "yellow") for warning in report.warnings]


def _remarks(report: Report) -> Iterator[str]:
    if not report.authors:
        yield "Nobody there is called that, or did anything in this time."
    few, names = report.insights.bus_factor.authors, Names(report.insights.bus_factor.authors)
    if few:
        who = ", ".join(map(names.of, few[:NAMED_FEW])) + (", …" if len(few) > NAMED_FEW else "")
        yield f"Bus factor {len(few):,}: the fewest people who own more than half of the lines ({who})."
    several = names_with_several_addresses(entry.author for entry in report.authors)
    if several:
        stand = "1 name stands" if several == 1 else f"{several:,} names stand"
        yield f"{stand} with several addresses; a .mailmap makes one author of each."
    yield from _code(report.languages)
    for entry in report.frameworks:
        place = "" if entry.path == "." else f" in {entry.path}"
        yield f"Framework: {entry.name}{place} ({entry.evidence})"
    yield from _left_out(report.excluded)


def _left_out(excluded: Sequence[Excluded]) -> Iterator[str]:
    """What could be counted; of what is too large a warning tells."""
    reasons = Counter(entry.reason for entry in excluded if entry.reason in OF_CHOICE)
    if reasons:
        counted = (f"{count:,} {reason}" for reason, count in reasons.most_common())
        told = ", ".join(counted if len(reasons) > 1 else reasons)
        yield f"{_count(reasons.total(), 'file')} left out ({told}); --all-files counts them."


def _code(languages: Sequence[LanguageShare]) -> Iterator[str]:
    code = code_in_words(languages)
    if code:
        yield f"Without data and prose, as GitHub counts: {code}."
