"""Writes a report as one page that needs nothing else: pictures, a table beside each, light and dark, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path

from bot.jobs.analysis.faces.pictures import (
    COLOURS,
    OTHERS,
    Band,
    Bar,
    Group,
    Tile,
    bars,
    stacked,
    stacked_area,
    treemap,
)
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.report import Ownership, Report
from bot.jobs.analysis.reports.series import moment
from bot.jobs.analysis.reports.timeline import growth

_SHOWN = 15
_SERIES_NOTE = (
    "Lines added minus lines deleted by the commits up to then, merges aside; a change made on several branches counts "
    "on each."
)
_STYLE = Path(__file__).parent / "data" / "page.css"


def write_page(report: Report, path: Path) -> None:
    """Write the page. Raises OSError where it cannot be written."""
    path.write_text(render_page(report), "utf-8")


def render_page(report: Report, *, tools: str = "", more: str = "") -> str:
    """The whole page as HTML. `tools` stand under its head, `more` before the files left out: HTML, escaped."""
    colour = _colours(report)
    sections = [
        _languages_over_time(report),
        _owners(report, colour),
        _authors(report, colour),
        _languages(report),
        _frameworks(report),
        _co_authors(report),
        more,
        _left_out(report),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(report.repository)}: who wrote what</title><style>{style()}</style></head>"
        f"<body><main>{_header(report)}{tools}{''.join(sections)}</main></body></html>\n"
    )


def style() -> str:
    """The page's style sheet, which stands in the page itself."""
    return _STYLE.read_text("utf-8")


def _header(report: Report) -> str:
    exact = "exactly as <code>git blame</code> attributes them" if report.exact else "not exact: see the remarks"
    remarks = "".join(f'<p class="warning">{escape(warning)}</p>' for warning in report.warnings)
    return (
        f"<header><h1>{escape(report.repository)}</h1><p>{report.lines:,} lines in {report.files:,} files at "
        f"<code>{escape(report.ref)}</code> (<code>{report.head[:12]}</code>), {exact}. "
        f"Made on {moment(report.generated_at)}.</p>{remarks}</header>"
    )


def _languages_over_time(report: Report) -> str:
    """Lines alive by language: what was added minus what was deleted, month by month."""
    points, alive = growth(report.week, report.month)
    bands = stacked(points, alive)
    picture = stacked_area(points, bands, "Lines added minus deleted, by language, over time")
    rows = [[points[number].isoformat(), *(f"{band.values[number]:,}" for band in bands)] for number in _told(points)]
    note = f'<p class="note">{escape(_SERIES_NOTE)}</p>'
    return section(
        "Languages over time", picture, _legend(bands) + note, table(["From", *(b.name for b in bands)], rows)
    )


def _told(points: Sequence[date]) -> list[int]:
    """The periods a table tells: each of a short history, the last one of each year of a long one."""
    if len(points) <= _SHOWN:
        return list(range(len(points)))
    return [number for number, point in enumerate(points) if point.month == 12 or number == len(points) - 1]


def _owners(report: Report, colour: Mapping[Author, int]) -> str:
    """Folders, each divided among those who own it."""
    groups = [
        Group(_folder(entry.path), f"{_folder(entry.path)}: {entry.lines:,} lines", list(_parts(entry, colour)))
        for entry in report.ownership
    ]
    rows = [
        [_folder(entry.path), f"{entry.lines:,}", entry.top_author.name, f"{entry.share:.1%}"]
        for entry in report.ownership
    ]
    picture = treemap(groups, "Folders by lines, divided among those who own them")
    grey = any(part.series == COLOURS - 1 and part.size for group in groups for part in group.parts)
    names = [author.name for author in colour] + ([OTHERS] if grey else [])
    return section("Who owns what", picture, _names(names), table(["Folder", "Lines", "Most by", "Share"], rows))


def _parts(entry: Ownership, colour: Mapping[Author, int]) -> Iterator[Tile]:
    folder = _folder(entry.path)
    for author, lines in entry.owners.items():
        told = f"{folder}: {lines:,} of {entry.lines:,} lines by {author.name}"
        yield Tile(lines, colour.get(author, COLOURS - 1), told)
    rest = entry.lines - sum(entry.owners.values())
    yield Tile(rest, COLOURS - 1, f"{folder}: {rest:,} of {entry.lines:,} lines by {OTHERS}")


def _folder(path: str) -> str:
    return "(top level)" if path == "." else path


def _authors(report: Report, colour: Mapping[Author, int]) -> str:
    top = report.authors[0].lines if report.authors else 0
    shown = [entry for entry in report.authors[:_SHOWN] if entry.lines]
    picture = bars(
        [
            Bar(
                entry.author.name,
                entry.lines / top,
                f"{entry.lines:,} ({entry.share:.1%})",
                colour.get(entry.author, COLOURS - 1),
            )
            for entry in shown
        ],
        "Lines by author",
    )
    head = ["Author", "Lines", "Share", "Files", "Commits", "Added", "Deleted", "First", "Last", "Languages"]
    rows = [
        [
            str(entry.author) + (" (bot)" if entry.author.is_bot else ""),
            f"{entry.lines:,}",
            f"{entry.share:.1%}",
            f"{entry.files:,}",
            f"{entry.commits:,}",
            f"{entry.added:,}",
            f"{entry.deleted:,}",
            (entry.first_commit or "")[:10],
            (entry.last_commit or "")[:10],
            ", ".join(list(entry.languages)[:4]),
        ]
        for entry in report.authors
    ]
    return section("Authors", picture, "", table(head, rows))


def _languages(report: Report) -> str:
    top = report.languages[0].lines if report.languages else 0
    shown = [entry for entry in report.languages[:_SHOWN] if entry.lines]
    picture = bars(
        [Bar(entry.name, entry.lines / top, f"{entry.lines:,} ({entry.share:.1%})", 0) for entry in shown],
        "Lines by language",
    )
    rows = [[entry.name, f"{entry.lines:,}", f"{entry.share:.1%}"] for entry in report.languages]
    return section("Languages", picture, "", table(["Language", "Lines", "Share"], rows))


def _frameworks(report: Report) -> str:
    rows = [[entry.name, entry.path, entry.evidence] for entry in report.frameworks]
    listed = plain_table(["Framework", "Application", "Found by"], rows)
    return f"<section><h2>Frameworks</h2>{listed}</section>" if rows else ""


def _co_authors(report: Report) -> str:
    rows = [[str(entry.author), f"{entry.commits:,}"] for entry in report.co_authors or ()]
    return section("Co-authors", "", "", table(["Named in trailers", "Commits"], rows)) if rows else ""


def _left_out(report: Report) -> str:
    rows = [[entry.path, entry.reason] for entry in report.excluded]
    return section("Files left out", "", "", table(["File", "Why"], rows)) if rows else ""


def _colours(report: Report) -> dict[Author, int]:
    """The colours of the authors with the most lines; all others share the last one."""
    return {entry.author: number for number, entry in enumerate(report.authors[: COLOURS - 1]) if entry.lines}


def section(heading: str, picture: str, legend: str, behind: str) -> str:
    """A part of the page: HTML, with `behind` the numbers of its picture."""
    shown = f"<figure>{picture}{legend}</figure>" if picture else ""
    return f"<section><h2>{escape(heading)}</h2>{shown}{behind}</section>"


def _legend(bands: Sequence[Band]) -> str:
    return _names([band.name for band in bands])


def _names(names: Sequence[str]) -> str:
    series = [COLOURS - 1 if name == OTHERS else number for number, name in enumerate(names)]
    keys = (
        f'<li><svg viewBox="0 0 10 10"><rect class="s{number}" width="10" height="10" rx="2"/></svg>{escape(name)}</li>'
        for number, name in zip(series, names, strict=True)
    )
    return f'<ul class="legend">{"".join(keys)}</ul>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The numbers behind a picture, folded away until asked for."""
    return f"<details><summary>As a table</summary>{plain_table(head, rows)}</details>" if rows else ""


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
