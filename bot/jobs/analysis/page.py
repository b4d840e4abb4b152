"""Writes a report as one page that needs nothing else: pictures, a table beside each, light and dark, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from itertools import accumulate
from pathlib import Path

from bot.jobs.analysis.identities import Author
from bot.jobs.analysis.pictures import COLOURS, OTHERS, Band, Bar, Tile, bars, stacked, stacked_area, treemap
from bot.jobs.analysis.report import Report
from bot.jobs.analysis.series import TimelineRow, moment

_SHOWN = 15
_SERIES_NOTE = (
    "Lines added minus lines deleted by the commits up to then, merges aside; a change made on several branches counts "
    "on each."
)
_STYLE = Path(__file__).parent / "data" / "page.css"


def write_page(report: Report, path: Path) -> None:
    """Write the page. Raises OSError where it cannot be written."""
    path.write_text(render_page(report), "utf-8")


def render_page(report: Report) -> str:
    """The whole page as HTML."""
    colour = _colours(report)
    sections = [
        _languages_over_time(report),
        _owners(report, colour),
        _authors(report, colour),
        _languages(report),
        _frameworks(report),
        _left_out(report),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.repository)}: who wrote what</title><style>{_STYLE.read_text('utf-8')}</style></head>"
        f"<body><main>{_header(report)}{''.join(sections)}</main></body></html>\n"
    )


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
    points = _months(report.month)
    bands = stacked(points, lines_alive(points, report.month))
    picture = stacked_area(points, bands, "Lines added minus deleted, by language, over time")
    yearly = [number for number, point in enumerate(points) if point.month == 12 or number == len(points) - 1]
    rows = [[str(points[number].year), *(f"{band.values[number]:,}" for band in bands)] for number in yearly]
    note = f'<p class="note">{escape(_SERIES_NOTE)}</p>'
    return _section(
        "Languages over time", picture, _legend(bands) + note, _table(["End of", *(b.name for b in bands)], rows)
    )


def lines_alive(points: Sequence[date], rows: Iterable[TimelineRow]) -> dict[str, dict[date, int]]:
    """Lines by language at the end of each period; never below nothing, as what merges delete is not in the series."""
    changes: dict[str, dict[date, int]] = {}
    for row in rows:
        language = changes.setdefault(row.language, {})
        language[row.start] = language.get(row.start, 0) + row.added - row.deleted
    return {
        name: dict(zip(points, _grow(known.get(point, 0) for point in points), strict=True))
        for name, known in changes.items()
    }


def _grow(changes: Iterable[int]) -> Iterable[int]:
    return (max(0, total) for total in accumulate(changes))


def _months(rows: Sequence[TimelineRow]) -> list[date]:
    """Every month from the first to the last that something happened in."""
    if not rows:
        return []
    months, last = [rows[0].start], rows[-1].start
    while months[-1] < last:
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    return months


def _owners(report: Report, colour: Mapping[Author, int]) -> str:
    tiles = [
        Tile(
            _folder(entry.path),
            entry.lines,
            colour.get(entry.top_author, COLOURS - 1),
            f"{_folder(entry.path)}: {entry.lines:,} lines, {entry.share:.0%} by {entry.top_author.name}",
        )
        for entry in report.ownership
    ]
    rows = [
        [_folder(entry.path), f"{entry.lines:,}", entry.top_author.name, f"{entry.share:.1%}"]
        for entry in report.ownership
    ]
    picture = treemap(tiles, "Folders by lines, in the colour of who owns most of each")
    names = [author.name for author in colour] + ([OTHERS] if len(report.authors) > len(colour) else [])
    return _section("Who owns what", picture, _names(names), _table(["Folder", "Lines", "Most by", "Share"], rows))


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
    return _section("Authors", picture, "", _table(head, rows))


def _languages(report: Report) -> str:
    top = report.languages[0].lines if report.languages else 0
    shown = [entry for entry in report.languages[:_SHOWN] if entry.lines]
    picture = bars(
        [Bar(entry.name, entry.lines / top, f"{entry.lines:,} ({entry.share:.1%})", 0) for entry in shown],
        "Lines by language",
    )
    rows = [[entry.name, f"{entry.lines:,}", f"{entry.share:.1%}"] for entry in report.languages]
    return _section("Languages", picture, "", _table(["Language", "Lines", "Share"], rows))


def _frameworks(report: Report) -> str:
    rows = [[entry.name, entry.path, entry.evidence] for entry in report.frameworks]
    table = _plain_table(["Framework", "Application", "Found by"], rows)
    return f"<section><h2>Frameworks</h2>{table}</section>" if rows else ""


def _left_out(report: Report) -> str:
    rows = [[entry.path, entry.reason] for entry in report.excluded]
    return _section("Files left out", "", "", _table(["File", "Why"], rows)) if rows else ""


def _colours(report: Report) -> dict[Author, int]:
    """The colours of the authors with the most lines; all others share the last one."""
    return {entry.author: number for number, entry in enumerate(report.authors[: COLOURS - 1]) if entry.lines}


def _section(heading: str, picture: str, legend: str, table: str) -> str:
    shown = f"<figure>{picture}{legend}</figure>" if picture else ""
    return f"<section><h2>{escape(heading)}</h2>{shown}{table}</section>"


def _legend(bands: Sequence[Band]) -> str:
    return _names([band.name for band in bands])


def _names(names: Sequence[str]) -> str:
    series = [COLOURS - 1 if name == OTHERS else number for number, name in enumerate(names)]
    keys = (
        f'<li><svg viewBox="0 0 10 10"><rect class="s{number}" width="10" height="10" rx="2"/></svg>{escape(name)}</li>'
        for number, name in zip(series, names, strict=True)
    )
    return f'<ul class="legend">{"".join(keys)}</ul>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The numbers behind a picture, folded away until asked for."""
    return f"<details><summary>As a table</summary>{_plain_table(head, rows)}</details>" if rows else ""


def _plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
