"""The picture of a report stands alone: well-formed, without a script, and whatever names are in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
from defusedxml.ElementTree import fromstring

from bot.jobs.analysis.faces.area import Band, stacked_area
from bot.jobs.analysis.faces.chart import draw_png, draw_svg
from bot.jobs.analysis.faces.treemap import Group, Tile, treemap
from bot.jobs.analysis.faces.words import area_words
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.series import TimelineRow
from bot.jobs.analysis.reports.timeline import growth
from tests.analysis.histories import Fuzzer, History
from tests.analysis.running import analysed

HOSTILE = "<script>alert(1)</script>&\"'"
ANN = Author("Ann", "ann@example.org")


@pytest.fixture
def report(history: History) -> Report:
    Fuzzer(5, step_s=86_400).fill(history, 40)
    return analysed(history.write())


def words(picture: str) -> list[str]:
    """All text that is shown."""
    tree: ElementTree.Element = fromstring(picture)
    return [element.text or "" for element in tree.iter() if element.tag.endswith("}text")]


def test_the_picture_shows_authors_and_languages(report: Report) -> None:
    shown = words(draw_svg(report))
    assert report.authors[0].author.name in shown
    assert report.languages[0].name in shown
    assert any(f"{report.authors[0].lines:,}" in text for text in shown)


def test_who_has_several_addresses_has_one_bar(history: History) -> None:
    history.commit({"a.py": b"1\n2\n"})
    history.commit({"b.py": b"1\n"}, author=b"Ann <ann@work.example.org>")
    drawn = draw_svg(analysed(history.write()))
    assert drawn.count(">Ann</text>") == 1
    assert "3 (100.0%)" in drawn


def test_the_picture_follows_the_readers_light_or_dark(report: Report) -> None:
    picture = draw_svg(report)
    assert "@media (prefers-color-scheme: dark)" in picture
    assert "var(" not in picture


def test_names_are_only_text_in_the_picture(report: Report) -> None:
    entry = replace(report.authors[0], author=Author(HOSTILE, HOSTILE))
    picture = draw_svg(replace(report, authors=[entry], repository=HOSTILE))
    assert "<script" not in picture
    assert any("<script>" in text for text in words(picture))
    assert not re.search(r"\son\w+=|href=", picture)


def test_the_picture_is_drawn_as_png_too(report: Report) -> None:
    assert draw_png(report).startswith(b"\x89PNG\r\n")


def test_an_empty_report_has_a_picture(report: Report) -> None:
    nothing = replace(report, authors=[], languages=[], week=[], month=[], lines=0)
    assert words(draw_svg(nothing)) == [f"{report.repository} · {report.head[:7]}"]
    assert draw_png(nothing)


def test_one_point_in_time_is_drawn_as_one_that_lasted() -> None:
    picture = stacked_area([date(2026, 1, 5)], [Band("Python", [10], 0)], area_words("en"))
    (path,) = re.findall(r' d="([^"]+)"', picture)
    assert len(set(re.findall(r"[ML]([\d.]+),", path))) == 2


def test_a_short_history_is_drawn_by_week() -> None:
    week = [TimelineRow(date(2026, 1, day), ANN, "C", 1, 10, 0) for day in (5, 19)]
    month = [TimelineRow(date(2026, 1, 1), ANN, "C", 2, 20, 0)]
    grown = growth(week, month)
    assert grown.points == [date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19)]
    assert list(grown.alive["C"].values()) == [10, 10, 20]


def test_a_long_history_is_drawn_by_month() -> None:
    month = [TimelineRow(date(2026, number, 1), ANN, "C", 1, 1, 0) for number in (1, 6)]
    assert len(growth([], month).points) == 6


def test_a_folder_is_divided_among_its_owners() -> None:
    groups = [Group("src", "src: 30", [Tile(20, 0, "Ann"), Tile(10, 1, "Ben"), Tile(0, 2, "Nobody")])]
    picture = treemap(groups, "x")
    areas = {
        series: float(width) * float(height)
        for series, width, height in re.findall(r'tile s(\d)" .*?width="([\d.]+)" height="([\d.]+)"', picture)
    }
    assert areas.keys() == {"0", "1"}
    assert areas["0"] == pytest.approx(2 * areas["1"], rel=0.01)
