"""How old the lines are, on how few people they rest and how many came new: as git itself tells it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.insights import BusFactor, Insights, PeopleOfYear, find_bus_factor
from tests.analysis.histories import ANN, BEN, Fuzzer, History, blamed_by_git, git
from tests.analysis.running import analysed

BOT = b"dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
YEAR_S = 366 * 86_400


def year(seconds: str | bytes) -> int:
    """The year of a moment in seconds since 1970."""
    return datetime.fromtimestamp(int(seconds), UTC).year


@pytest.fixture
def repository(history: History) -> Path:
    Fuzzer(23, step_s=40 * 86_400).fill(history, 60)
    return history.write()


def test_lines_are_as_old_as_git_blame_says(repository: Path) -> None:
    written: Counter[int] = Counter()
    for owners in blamed_by_git(repository).values():
        for commit, lines in owners.items():
            written[year(git(repository, "show", "--no-patch", "--format=%at", commit))] += lines
    report = analysed(repository)
    assert {one.year: one.lines for one in report.insights.age} == written
    assert len(written) > 1
    assert sum(one.lines for one in report.insights.age) == report.lines


def test_people_and_newcomers_of_a_year_are_those_of_git_log(repository: Path) -> None:
    log = git(repository, "log", "--no-merges", "--format=%at %aN").decode().splitlines()
    active = {(year(time), name) for time, name in (line.split(" ", 1) for line in log)}
    first = Counter(min(when for when, who in active if who == name) for name in {name for _, name in active})
    told = analysed(repository).insights.newcomers
    assert {one.year: one.authors for one in told} == Counter(when for when, _ in active)
    assert {one.year: one.newcomers for one in told if one.newcomers} == first


def test_who_comes_back_is_no_newcomer_and_a_bot_is_nobody(history: History) -> None:
    history.commit({"a.py": b"1\n"}, time=1_500_000_000)
    history.commit({"a.py": b"1\n2\n"}, author=BOT)
    history.commit({"a.py": b"1\n2\n3\n"}, author=BEN, time=1_500_000_000 + YEAR_S)
    history.commit({"a.py": b"1\n2\n3\n4\n"}, author=ANN)
    told = analysed(history.write()).insights
    assert list(told.newcomers) == [PeopleOfYear(2017, 1, 1), PeopleOfYear(2018, 2, 1)]
    assert [author.name for author in told.bus_factor.authors] == ["Ann"]
    assert (told.bus_factor.lines, told.bus_factor.share) == (2, 0.666667)


@pytest.mark.parametrize(
    ("lines", "few"),
    [
        ((5, 3, 2), 2),
        ((6, 3, 1), 1),
        ((1, 1, 1, 1), 3),
        ((4,), 1),
        ((), 0),
        ((0, 0), 0),
    ],
)
def test_the_bus_factor_is_the_fewest_who_own_more_than_half(lines: tuple[int, ...], few: int) -> None:
    owned = {Author(f"A{number}", f"a{number}@example.org"): count for number, count in enumerate(lines)}
    assert len(find_bus_factor(owned).authors) == few


def test_who_owns_lines_under_several_addresses_is_one_person_of_the_bus_factor() -> None:
    owned = {Author("Ann", "ann@home"): 3, Author("Ann", "ann@work"): 4, Author("Ben", "ben@home"): 6}
    few = find_bus_factor(owned)
    assert (few.authors, few.lines) == ((Author("Ann", "ann@work"),), 7)


def test_who_commits_under_a_new_address_is_no_newcomer(history: History) -> None:
    history.commit({"a": b"1\n"}, time=1_600_000_000)
    history.commit({"a": b"2\n"}, time=1_650_000_000, author=b"Ann <ann@work.example.org>")
    told = analysed(history.write()).insights.newcomers
    assert [(one.year, one.authors, one.newcomers) for one in told] == [(2020, 1, 1), (2022, 1, 0)]


def test_a_window_of_time_and_a_choice_of_authors_leave_them_whole(repository: Path) -> None:
    whole = analysed(repository).insights
    assert analysed(repository, authors=("A1",), without_bots=True).insights == whole


def test_insights_come_back_and_older_reports_have_none(repository: Path) -> None:
    insights = analysed(repository).insights
    assert Insights.from_json(insights.to_json()) == insights
    assert Insights.from_json({}) == Insights() == Insights((), BusFactor(), ())
