"""The sections of a report's page that are tables: people, years, languages, frameworks, co-authors, files left out."""

from __future__ import annotations

from collections.abc import Sequence

from bot.jobs.analysis.faces.names import names_with_several_addresses
from bot.jobs.analysis.faces.parts import Length, Percent, Row, folded, note, section, table
from bot.jobs.analysis.faces.voice import SHOWN, Voice
from bot.jobs.analysis.reports.codeshares import code_in_words
from bot.jobs.analysis.reports.report import AuthorReport, Report

EXTENSIONS = 4
"""Of the files an author changed, those that are told."""


def authors(report: Report, voice: Voice) -> str:
    """Those with the most lines, and folded away everybody with every number."""
    heading = voice.say("authors")
    if not report.authors:
        return section(heading, note(voice.say("nobody")))
    head = [
        *(voice.word("author"), "", voice.word("lines"), voice.word("share"), voice.word("commits")),
        *(voice.say("last"), voice.word("languages")),
    ]
    top = max(entry.share for entry in report.authors)
    rows = [_author(entry, top, voice) for entry in report.authors[:SHOWN]]
    several = names_with_several_addresses(entry.author for entry in report.authors)
    same = voice.say("same_name", names=several) if several else ""
    shown = table(voice.say("lines_by_author"), head, rows, phone=4)
    return section(heading, shown, note(same), _everyone(report, voice))


def _author(entry: AuthorReport, top: float, voice: Voice) -> Row:
    return [
        *(
            voice.marked(voice.name(entry.author), entry.author),
            Length(entry.share / (top or 1), voice.colour(entry.author)),
        ),
        *(
            entry.lines,
            Percent(entry.share),
            entry.commits,
            _day(entry.last_commit),
            voice.languages(entry.languages, 3),
        ),
    ]


def _everyone(report: Report, voice: Voice) -> str:
    head = [
        *(voice.word("author"), "GitHub", voice.word("lines"), voice.word("share"), voice.word("files")),
        *(voice.word("commits"), voice.say("added"), voice.say("deleted"), voice.say("first"), voice.say("last")),
        *(voice.word("languages"), voice.say("extensions")),
    ]
    rows = [_whole(entry, report.login(entry.author), voice) for entry in report.authors]
    return folded(voice.say("all", count=len(rows)), table(voice.say("authors"), head, rows))


def _whole(entry: AuthorReport, login: str | None, voice: Voice) -> Row:
    extensions = list(entry.extensions.items())[:EXTENSIONS]
    return [
        *(voice.marked(str(entry.author), entry.author), login or ""),
        *(entry.lines, Percent(entry.share), entry.files, entry.commits, entry.added, entry.deleted),
        *(_day(entry.first_commit), _day(entry.last_commit), voice.languages(entry.languages, 4)),
        ", ".join(f"{extension} {files:,}" for extension, files in extensions),
    ]


def _day(moment: str | None) -> str:
    return (moment or "")[:10]


def years(report: Report, voice: Voice) -> str:
    """How old the lines are, and who came new."""
    age = {one.year: one for one in report.insights.age}
    people = {one.year: one for one in report.insights.newcomers}
    top = max((one.share for one in age.values()), default=0.0)
    rows: list[Row] = []
    for year in sorted({*age, *people}, reverse=True):
        written, active = age.get(year), people.get(year)
        lines, share = (written.lines, written.share) if written else (0, 0.0)
        counts = (active.authors, active.newcomers) if active else (0, 0)
        rows.append([str(year), Length(share / (top or 1)), lines, Percent(share), *counts])
    words = (voice.word("lines"), voice.word("share"), voice.say("people"), voice.say("newcomers"))
    heading = voice.say("years")
    listed = table(heading, [voice.say("year"), "", *words], rows)
    return section(heading, listed, note(voice.say("years.why")) if rows else "")


def languages(report: Report, voice: Voice) -> str:
    """Languages by lines."""
    top = max((entry.share for entry in report.languages), default=0.0) or 1
    rows: list[Row] = [
        [voice.language(entry.name), Length(entry.share / top), entry.lines, Percent(entry.share)]
        for entry in report.languages
    ]
    head = [voice.say("language"), "", voice.word("lines"), voice.word("share")]
    told = code_in_words(report.languages)
    why = note(voice.say("languages.code", languages=told)) if told else ""
    return section(voice.word("languages"), _first(voice.word("languages"), head, rows, voice), why)


def frameworks(report: Report, voice: Voice) -> str:
    """Which application uses what, and what told so."""
    rows = [[entry.name, voice.folder(entry.path), entry.evidence] for entry in report.frameworks]
    head = [voice.say("framework"), voice.say("application"), voice.say("found_by")]
    return section(voice.word("frameworks"), table(voice.word("frameworks"), head, rows))


def co_authors(report: Report, voice: Voice) -> str:
    """Who is named in trailers."""
    rows: list[Row] = [[str(entry.author), entry.commits] for entry in report.co_authors or ()]
    head = [voice.word("author"), voice.word("commits")]
    why = note(voice.say("co_authors.why")) if rows else ""
    return section(voice.say("co_authors"), why, _first(voice.say("co_authors"), head, rows, voice))


def left_out(report: Report, voice: Voice) -> str:
    """The files that do not count, and why."""
    rows = [[entry.path, voice.say(f"reason.{entry.reason}")] for entry in report.excluded]
    listed = table(voice.say("left_out"), [voice.say("file"), voice.say("why")], rows)
    return section(voice.say("left_out"), folded(voice.say("left_out.count", count=len(rows)), listed))


def _first(name: str, head: Sequence[str], rows: Sequence[Row], voice: Voice) -> str:
    """The first rows; the others are folded away."""
    more = voice.say("more", count=len(rows) - SHOWN)
    return table(name, head, rows[:SHOWN]) + folded(more, table(more, head, rows[SHOWN:]))
