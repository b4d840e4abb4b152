"""The sections of a report's page that are pictures, each with its numbers as a table: languages, owners, commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from bot.jobs.analysis.faces.area import Band, stacked, stacked_area
from bot.jobs.analysis.faces.canvas import REST
from bot.jobs.analysis.faces.parts import Key, Percent, Row, figure, folded, note, section, table
from bot.jobs.analysis.faces.treemap import Group, Tile, treemap
from bot.jobs.analysis.faces.voice import SHOWN, Voice
from bot.jobs.analysis.faces.words import area_words, commit_words
from bot.jobs.analysis.reports.report import Ownership, Report
from bot.jobs.analysis.reports.timeline import Made, commits_made, growth

THEN = 3
"""Owners of a folder that are named after the first."""


def languages_over_time(report: Report, voice: Voice) -> str:
    """Lines alive by language: what was added minus what was deleted, month by month."""
    points, alive = growth(report.week, report.month)
    by_name = {voice.language(name): values for name, values in alive.items()}
    bands = stacked(points, by_name, voice.say("all_others"))
    picture = stacked_area(points, bands, area_words(voice.locale))
    heading, head = voice.say("languages_over_time"), [voice.say("from"), *(band.name for band in bands)]
    rows: list[Row] = [[points[at].isoformat(), *(band.values[at] for band in bands)] for at in reversed(_told(points))]
    return section(
        heading,
        figure(picture, [Key(band.name, band.series) for band in bands]),
        note(voice.say("languages_over_time.why")) if picture else "",
        folded(voice.say("as_table"), table(heading, head, rows)),
    )


def commits_over_time(report: Report, voice: Voice) -> str:
    """Commits by author in each month, in the colours of the people; the table sums them up by year."""
    shown = {entry.author for entry in report.authors}
    made = commits_made([row for row in report.days.commits if row.author in shown] if report.days else [])
    bands = _commits(made, voice)
    picture = stacked_area(made.points, bands, commit_words(voice.locale))
    heading, head = voice.say("commits_over_time"), [voice.say("year"), *(band.name for band in bands)]
    rows = _yearly(made.points, bands)
    return section(
        heading,
        figure(picture, [Key(band.name, band.series) for band in bands]),
        note(voice.say(f"commits_over_time.why.{'week' if made.is_weekly else 'month'}")) if picture else "",
        folded(voice.say("as_table"), table(heading, head, rows)),
    )


def _commits(made: Made, voice: Voice) -> list[Band]:
    """A band for each of the people who have a colour, and one for all others."""
    named = {author: made.by_author[author] for author in voice.colours if author in made.by_author}
    bands = [
        Band(voice.name(author), [periods.get(point, 0) for point in made.points], voice.colour(author))
        for author, periods in named.items()
    ]
    others = [periods for author, periods in made.by_author.items() if author not in named]
    if others:
        together = [sum(periods.get(point, 0) for periods in others) for point in made.points]
        bands.append(Band(voice.say("all_others"), together, REST))
    return bands


def _yearly(points: Sequence[date], bands: Sequence[Band]) -> list[Row]:
    """What each band comes to in each year, the newest first."""
    sums: dict[int, list[int]] = {}
    for at, point in enumerate(points):
        year = sums.setdefault(point.year, [0] * len(bands))
        for number, band in enumerate(bands):
            year[number] += band.values[at]
    return [[str(year), *counts] for year, counts in reversed(sums.items())]


def _told(points: Sequence[date]) -> list[int]:
    """The periods a table tells: each of a short history, the last one of each year of a long one."""
    if len(points) <= SHOWN:
        return list(range(len(points)))
    return [number for number, point in enumerate(points) if point.month == 12 or number == len(points) - 1]


def ownership(report: Report, voice: Voice) -> str:
    """Folders, each divided among those who own it."""
    groups = [_group(entry, voice) for entry in report.ownership]
    keys = [Key(voice.name(author), series) for author, series in voice.colours.items()]
    if any(part.series == REST and part.size for group in groups for part in group.parts):
        keys.append(Key(voice.say("all_others"), REST))
    heading, picture = voice.say("ownership"), treemap(groups, voice.say("ownership.picture"))
    words = (voice.say("folder"), voice.word("lines"), voice.say("most_by"), voice.word("share"), voice.say("then_by"))
    rows = [_owned(entry, voice) for entry in report.ownership]
    return section(heading, figure(picture, keys), folded(voice.say("as_table"), table(heading, words, rows)))


def _owned(entry: Ownership, voice: Voice) -> Row:
    """A folder, who owns most of it, and who comes next."""
    then = list(entry.owners.items())[1 : THEN + 1]
    others = ", ".join(f"{voice.name(author)} {lines / entry.lines:.1%}" for author, lines in then)
    return [voice.folder(entry.path), entry.lines, voice.name(entry.top_author), Percent(entry.share), others]


def _group(entry: Ownership, voice: Voice) -> Group:
    folder = voice.folder(entry.path)
    return Group(folder, voice.say("group", folder=folder, lines=entry.lines), list(_tiles(entry, voice)))


def _tiles(entry: Ownership, voice: Voice) -> Iterator[Tile]:
    """A folder's owners, and one for all whom the report does not name."""
    folder = voice.folder(entry.path)

    def tile(part: int, series: int, name: str) -> Tile:
        return Tile(part, series, voice.say("part", folder=folder, part=part, lines=entry.lines, name=name))

    for author, lines in entry.owners.items():
        yield tile(lines, voice.colour(author), voice.name(author))
    yield tile(entry.lines - sum(entry.owners.values()), REST, voice.say("all_others"))
