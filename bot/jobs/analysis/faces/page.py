"""Writes a report as one page that needs nothing else: pictures, a table beside each, light and dark, no script."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from bot.jobs.analysis.faces import page_pictures, page_tables
from bot.jobs.analysis.faces.names import Names
from bot.jobs.analysis.faces.parts import document, facts, note
from bot.jobs.analysis.faces.voice import Voice
from bot.jobs.analysis.reports.remarks import say_again
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.series import moment

NAMED_FEW = 5
SECTIONS = (
    page_pictures.languages_over_time,
    page_pictures.ownership,
    page_pictures.commits_over_time,
    page_tables.authors,
    page_tables.years,
    page_tables.languages,
    page_tables.frameworks,
    page_tables.co_authors,
)
"""In order; the files left out come last."""


def render_page(report: Report, locale: str = "en", *, tools: str = "", more: str = "") -> str:
    """The whole page as HTML. `tools` stand under its head, `more` before the files left out: HTML, escaped."""
    voice = Voice(report, locale)
    body = "".join(write(report, voice) for write in SECTIONS)
    inside = f"{_head(report, voice)}{tools}{body}{more}{page_tables.left_out(report, voice)}"
    return document(locale, voice.say("title", repository=report.repository), inside)


def _head(report: Report, voice: Voice) -> str:
    """What it is about, the few numbers that matter most, and remarks."""
    made = moment(report.generated_at)
    shown = f'<time datetime="{made}">{datetime.fromtimestamp(report.generated_at, UTC):%Y-%m-%d %H:%M} UTC</time>'
    parts = [
        f"<code>{escape(report.ref)}</code>",
        f"<code>{report.head[:7]}</code>",
        escape(voice.say("exact" if report.exact else "not_exact")),
        escape(voice.say("made", moment="\0")).replace("\0", shown),
    ]
    remarks = "".join(
        f'<p class="warning">{escape(say_again(warning, voice.locale))}</p>' for warning in report.warnings
    )
    about = f"<h1>{escape(report.repository)}</h1><p>{' · '.join(parts)}</p>"
    return f"<header>{about}{_facts(report, voice)}{remarks}</header>"


def _facts(report: Report, voice: Voice) -> str:
    numbers = {voice.word("lines"): f"{report.lines:,}", voice.word("files"): f"{report.files:,}"}
    few = report.insights.bus_factor.authors
    if not few:
        return facts(numbers)
    numbers[voice.say("bus_factor")] = f"{len(few):,}"
    numbers[voice.say("half_since")] = str(half_since(report))
    names = ", ".join(map(Names(few).of, few[:NAMED_FEW])) + (", …" if len(few) > NAMED_FEW else "")
    return facts(numbers) + note(voice.say("bus_factor.why", names=names))


def half_since(report: Report) -> int:
    """The latest year such that half of the lines, or more, were written in it or later; 0 where there are none."""
    held = 0
    for one in reversed(report.insights.age):
        held += one.lines
        if 2 * held >= report.lines:
            return one.year
    return 0
