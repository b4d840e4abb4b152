"""Writes a report as one page that needs nothing else: pictures, a table beside each, light and dark, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from bot import messages
from bot.jobs.analysis.faces.names import Names, names_with_several_addresses
from bot.jobs.analysis.faces.parts import (
    Cell,
    Key,
    Length,
    Percent,
    Row,
    document,
    facts,
    figure,
    folded,
    note,
    section,
    table,
)
from bot.jobs.analysis.faces.pictures import COLOURS, Group, Tile, stacked, stacked_area, treemap
from bot.jobs.analysis.faces.words import area_words, language_name
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.report import AuthorReport, Ownership, Report
from bot.jobs.analysis.reports.series import moment
from bot.jobs.analysis.reports.timeline import growth

SHOWN = 15
"""Rows that are not folded away."""
NAMED_FEW = 5
THEN, EXTENSIONS = 3, 4
_REST = COLOURS - 1


def render_page(report: Report, locale: str = "en", *, tools: str = "", more: str = "") -> str:
    """The whole page as HTML. `tools` stand under its head, `more` before the files left out: HTML, escaped."""
    page = Page(report, locale)
    inside = f"{page.head()}{tools}{''.join(page.body())}{more}{page.left_out()}"
    return document(locale, page.say("title", repository=report.repository), inside)


class Page:
    """The sections of a report's page, as HTML in one language."""

    def __init__(self, report: Report, locale: str) -> None:
        self._report = report
        self._locale = locale
        self._names = Names(entry.author for entry in report.authors[:SHOWN])
        self._colour = {entry.author: at for at, entry in enumerate(report.authors[:_REST]) if entry.lines}
        """Of the authors with the most lines; all others share the last colour."""

    def say(self, key: str, **facts: Any) -> str:
        """A sentence of this page."""
        return messages.say(self._locale, f"contributions.{key}", **facts)

    def head(self) -> str:
        """What it is about, the few numbers that matter most, and remarks."""
        report, made = self._report, moment(self._report.generated_at)
        shown = f'<time datetime="{made}">{datetime.fromtimestamp(report.generated_at, UTC):%Y-%m-%d %H:%M} UTC</time>'
        parts = [
            f"<code>{escape(report.ref)}</code>",
            f"<code>{report.head[:7]}</code>",
            escape(self.say("exact" if report.exact else "not_exact")),
            escape(self.say("made", moment="\0")).replace("\0", shown),
        ]
        remarks = "".join(f'<p class="warning">{escape(warning)}</p>' for warning in report.warnings)
        about = f"<h1>{escape(report.repository)}</h1><p>{' · '.join(parts)}</p>"
        return f"<header>{about}{self._facts()}{remarks}</header>"

    def body(self) -> Iterator[str]:
        """The sections, in order."""
        yield self._languages_over_time()
        yield self._ownership()
        yield self._authors()
        yield self._years()
        yield self._languages()
        yield self._frameworks()
        yield self._co_authors()

    def left_out(self) -> str:
        """The files that do not count, and why."""
        rows = [[entry.path, self.say(f"reason.{entry.reason}")] for entry in self._report.excluded]
        listed = table(self.say("left_out"), [self.say("file"), self.say("why")], rows)
        return section(self.say("left_out"), folded(self.say("left_out.count", count=len(rows)), listed))

    def _facts(self) -> str:
        report, insights = self._report, self._report.insights
        numbers = {self._word("lines"): f"{report.lines:,}", self._word("files"): f"{report.files:,}"}
        few = insights.bus_factor.authors
        if few:
            numbers[self.say("bus_factor")] = f"{len(few):,}"
            numbers[self.say("half_since")] = str(half_since(report))
        names = ", ".join(self._name(author) for author in few[:NAMED_FEW]) + (" …" if len(few) > NAMED_FEW else "")
        why = note(self.say("bus_factor.why", names=names)) if few else ""
        return facts(numbers) + why

    def _languages_over_time(self) -> str:
        """Lines alive by language: what was added minus what was deleted, month by month."""
        points, alive = growth(self._report.week, self._report.month)
        by_name = {self._language(name): values for name, values in alive.items()}
        bands = stacked(points, by_name, self.say("all_others"))
        picture = stacked_area(points, bands, area_words(self._locale))
        rows: list[list[Cell]] = [
            [points[at].isoformat(), *(band.values[at] for band in bands)] for at in reversed(_told(points))
        ]
        head = [self.say("from"), *(band.name for band in bands)]
        heading = self.say("languages_over_time")
        return section(
            heading,
            figure(picture, [Key(band.name, band.series) for band in bands]),
            note(self.say("languages_over_time.why")) if picture else "",
            folded(self.say("as_table"), table(heading, head, rows)),
        )

    def _ownership(self) -> str:
        """Folders, each divided among those who own it."""
        owned = self._report.ownership
        groups = [
            Group(
                self._folder(entry),
                self.say("group", folder=self._folder(entry), lines=entry.lines),
                list(self._tiles(entry)),
            )
            for entry in owned
        ]
        keys = [Key(self._name(author), series) for author, series in self._colour.items()]
        if any(part.series == _REST and part.size for group in groups for part in group.parts):
            keys.append(Key(self.say("all_others"), _REST))
        rows: list[list[Cell]] = [
            [
                self._folder(entry),
                entry.lines,
                self._name(entry.top_author),
                Percent(entry.share),
                ", ".join(self._then(entry)),
            ]
            for entry in owned
        ]
        head = [self.say("folder"), self._word("lines"), self.say("most_by"), self._word("share"), self.say("then_by")]
        heading = self.say("ownership")
        picture = treemap(groups, self.say("ownership.picture"))
        return section(heading, figure(picture, keys), folded(self.say("as_table"), table(heading, head, rows)))

    def _tiles(self, entry: Ownership) -> Iterator[Tile]:
        for author, lines in entry.owners.items():
            yield self._tile(entry, lines, self._colour.get(author, _REST), self._name(author))
        yield self._tile(entry, entry.lines - sum(entry.owners.values()), _REST, self.say("all_others"))

    def _tile(self, entry: Ownership, part: int, series: int, name: str) -> Tile:
        return Tile(part, series, self.say("part", folder=self._folder(entry), part=part, lines=entry.lines, name=name))

    def _then(self, entry: Ownership) -> Iterator[str]:
        """Those who own most of a folder after the first."""
        for author, lines in list(entry.owners.items())[1 : THEN + 1]:
            yield f"{self._name(author)} {lines / entry.lines:.1%}"

    def _authors(self) -> str:
        report = self._report
        if not report.authors:
            return section(self.say("authors"), note(self.say("nobody")))
        head = [
            *(self._word("author"), "", self._word("lines"), self._word("share"), self._word("commits")),
            *(self.say("last"), self._word("languages")),
        ]
        top = max(entry.share for entry in report.authors)
        rows = [self._author(entry, top) for entry in report.authors[:SHOWN]]
        several = names_with_several_addresses(entry.author for entry in report.authors)
        same = self.say("same_name", names=several) if several else ""
        return section(
            self.say("authors"), table(self.say("lines_by_author"), head, rows, phone=4), note(same), self._everyone()
        )

    def _author(self, entry: AuthorReport, top: float) -> list[Cell]:
        return [
            self._with_bot(self._name(entry.author), entry.author),
            Length(entry.share / (top or 1), self._colour.get(entry.author, _REST)),
            entry.lines,
            Percent(entry.share),
            entry.commits,
            (entry.last_commit or "")[:10],
            self._listed(entry.languages, 3),
        ]

    def _everyone(self) -> str:
        """All authors with all their numbers."""
        head = [
            *(self._word("author"), "GitHub", self._word("lines"), self._word("share"), self._word("files")),
            *(self._word("commits"), self.say("added"), self.say("deleted"), self.say("first"), self.say("last")),
            *(self._word("languages"), self.say("extensions")),
        ]
        rows = [self._whole(entry) for entry in self._report.authors]
        return folded(self.say("all", count=len(rows)), table(self.say("authors"), head, rows))

    def _whole(self, entry: AuthorReport) -> list[Cell]:
        extensions = list(entry.extensions.items())[:EXTENSIONS]
        return [
            *(self._with_bot(str(entry.author), entry.author), self._report.login(entry.author) or ""),
            *(entry.lines, Percent(entry.share), entry.files, entry.commits, entry.added, entry.deleted),
            *((entry.first_commit or "")[:10], (entry.last_commit or "")[:10], self._listed(entry.languages, 4)),
            ", ".join(f"{extension} {files:,}" for extension, files in extensions),
        ]

    def _years(self) -> str:
        """How old the lines are, and who came new."""
        insights = self._report.insights
        age = {one.year: one for one in insights.age}
        people = {one.year: one for one in insights.newcomers}
        top = max((one.share for one in insights.age), default=0.0)
        head = [
            *(self.say("year"), "", self._word("lines"), self._word("share")),
            *(self.say("people"), self.say("newcomers")),
        ]
        rows: list[list[Cell]] = []
        for year in sorted({*age, *people}, reverse=True):
            written, active = age.get(year), people.get(year)
            lines, share = (written.lines, written.share) if written else (0, 0.0)
            counts = (active.authors, active.newcomers) if active else (0, 0)
            rows.append([str(year), Length(share / (top or 1)), lines, Percent(share), *counts])
        listed = table(self.say("years"), head, rows)
        return section(self.say("years"), listed, note(self.say("years.why")) if rows else "")

    def _languages(self) -> str:
        top = max((entry.share for entry in self._report.languages), default=0.0)
        rows: list[list[Cell]] = [
            [self._language(entry.name), Length(entry.share / (top or 1)), entry.lines, Percent(entry.share)]
            for entry in self._report.languages
        ]
        head, heading = [self.say("language"), "", self._word("lines"), self._word("share")], self._word("languages")
        return section(heading, table(heading, head, rows[:SHOWN]), self._more(head, rows))

    def _frameworks(self) -> str:
        rows = [[entry.name, entry.path, entry.evidence] for entry in self._report.frameworks]
        head = [self.say("framework"), self.say("application"), self.say("found_by")]
        return section(self._word("frameworks"), table(self._word("frameworks"), head, rows))

    def _co_authors(self) -> str:
        rows: list[list[Cell]] = [[str(entry.author), entry.commits] for entry in self._report.co_authors or ()]
        heading, head = self.say("co_authors"), [self._word("author"), self._word("commits")]
        listed = table(heading, head, rows[:SHOWN])
        return section(heading, listed and note(self.say("co_authors.why")), listed, self._more(head, rows))

    def _more(self, head: Sequence[str], rows: Sequence[Row]) -> str:
        """The rows after those that are shown, folded away."""
        more = self.say("more", count=len(rows) - SHOWN)
        return folded(more, table(more, head, rows[SHOWN:]))

    def _word(self, key: str) -> str:
        """A word that other faces of an analysis use too."""
        return messages.say(self._locale, f"analysis.{key}")

    def _name(self, author: Author) -> str:
        return self._names.of(author)

    def _with_bot(self, name: str, author: Author) -> str:
        return self.say("bot", name=name) if author.is_bot else name

    def _language(self, name: str) -> str:
        return language_name(self._locale, name)

    def _listed(self, languages: Mapping[str, int], count: int) -> str:
        return ", ".join(map(self._language, list(languages)[:count]))

    def _folder(self, entry: Ownership) -> str:
        return self.say("top_level") if entry.path == "." else entry.path


def half_since(report: Report) -> int:
    """The latest year such that half of the lines, or more, were written in it or later; 0 where there are none."""
    held = 0.0
    for one in reversed(report.insights.age):
        held += one.lines
        if 2 * held >= report.lines:
            return one.year
    return 0


def _told(points: Sequence[date]) -> list[int]:
    """The periods a table tells: each of a short history, the last one of each year of a long one."""
    if len(points) <= SHOWN:
        return list(range(len(points)))
    return [number for number, point in enumerate(points) if point.month == 12 or number == len(points) - 1]
