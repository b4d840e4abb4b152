"""A report that was kept comes back whole, and can be asked about any dates and any author."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest

from bot.jobs.analysis.reports.ranges import Range
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store, narrowed, to_store
from bot.jobs.analysis.request import Window
from tests.analysis.histories import Fuzzer, History
from tests.analysis.running import analysed, timeless

DAY_S = 86_400


@pytest.fixture
def repository(history: History) -> Path:
    Fuzzer(11, step_s=9 * 3600).fill(history, 60)
    return history.write()


def kept(repository: Path) -> Report:
    """A report that went through the store."""
    return from_store(orjson.loads(orjson.dumps(to_store(analysed(repository, days=True, co_authors=True)))))


def day_in_the_middle(report: Report) -> date:
    assert report.days
    days = [row.day for row in report.days.commits]
    return date(1970, 1, 1) + timedelta(days=days[len(days) // 2])


def test_a_report_comes_back_as_it_was_kept(repository: Path) -> None:
    assert timeless(kept(repository)) == timeless(analysed(repository, co_authors=True))


def test_the_folders_owners_come_back(repository: Path) -> None:
    before, after = analysed(repository, days=True), kept(repository)
    assert [folder.owners for folder in after.ownership] == [folder.owners for folder in before.ownership]


@pytest.mark.parametrize("side", ["since", "until"])
def test_a_range_of_days_tells_what_an_analysis_of_that_time_does(repository: Path, side: str) -> None:
    whole = kept(repository)
    day = day_in_the_middle(whole)
    seconds = (day - date(1970, 1, 1)).days * DAY_S
    asked = analysed(repository, window=Window(**{side: seconds}), co_authors=True)
    told = timeless(replace(narrowed(whole, Range(**{side: day})), co_authors=None))
    wanted = timeless(replace(asked, co_authors=None))
    assert told == wanted
    assert told["timeline"] != timeless(whole)["timeline"]


def test_an_author_is_chosen_by_name_address_or_login(repository: Path) -> None:
    whole = kept(repository)
    someone = whole.authors[0].author
    known = replace(whole, logins={someone.email.lower(): "octocat"})
    for name in (someone.name.upper(), someone.email, str(someone), "@octocat", "OctoCat"):
        chosen = narrowed(known, Range(), [name])
        assert {entry.author for entry in chosen.authors} == {someone}
        assert {row.author for row in chosen.week} == {someone}
    assert narrowed(known, Range(), ["nobody"]).authors == []
    assert narrowed(known, Range(), ["nobody"]).lines == whole.lines
