"""Who is suggested as a reviewer: people who own what a change touches, and are still there."""

from __future__ import annotations

import pytest

from bot.jobs.analysis.runs.reviewers import owners_of_change
from bot.jobs.analysis.runs.suggestions import People, other_owners, suggest
from tests.analysis.histories import ANN, BEN, History

CARA = b"Cara <7+cara-c@users.noreply.github.com>"
DORA = b"Dora <dora@example.org>"
BOT = b"renovate[bot] <renovate[bot]@users.noreply.github.com>"
DAY_S = 24 * 3600
NOW = 1_700_000_000


class Song:
    """A file to which people add lines, so many days before somebody changes all of it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lines = b""

    def add(self, author: bytes, lines: int, days_ago: int) -> None:
        self._lines += b"".join(b"%s %d %d\n" % (author, days_ago, number) for number in range(lines))
        self._history.commit({"song.txt": self._lines}, author=author, time=NOW - days_ago * DAY_S)

    def elsewhere(self, author: bytes, days_ago: int) -> None:
        self._history.commit({"other.txt": b"%s\n" % author}, author=author, time=NOW - days_ago * DAY_S)

    def suggested(
        self, *, by: str = "", author: bytes = DORA, message: bytes = b"change", logins: dict[str, str] | None = None
    ) -> list[tuple[str, int, bool]]:
        """Name, lines, and whether they are active, of those who are suggested for a change of every line."""
        base = len(self._history.trees) - 1
        self._history.commit({"song.txt": b"anew\n"}, author=author, message=message, time=NOW)
        change = owners_of_change(self._history.write(), f"c{base}", "HEAD")
        found = suggest(change, other_owners(change, People(change, logins or {}), by), 3)
        return [(one.author.name, one.lines, one.last_commit is not None) for one in found]


@pytest.fixture
def song(history: History) -> Song:
    return Song(history)


def test_most_lines_come_first_among_those_who_are_there(song: Song) -> None:
    song.add(ANN, 2, 3)
    song.add(BEN, 5, 2)
    song.add(CARA, 3, 1)
    assert song.suggested() == [("Ben", 5, True), ("Cara", 3, True), ("Ann", 2, True)]


def test_a_line_counts_half_after_ninety_days_without_a_commit(song: Song) -> None:
    song.add(ANN, 10, 180)
    song.add(BEN, 4, 0)
    song.add(CARA, 2, 0)
    assert song.suggested() == [("Ben", 4, True), ("Ann", 10, True), ("Cara", 2, True)]


def test_who_left_is_not_suggested_while_somebody_is_there(song: Song) -> None:
    song.add(ANN, 100, 366)
    song.add(BEN, 1, 364)
    assert song.suggested() == [("Ben", 1, True)]


def test_the_last_one_there_is_told_of_nobody_who_left(song: Song) -> None:
    song.add(ANN, 3, 3000)
    song.elsewhere(DORA, 3)
    assert song.suggested(author=DORA) == []


def test_where_everybody_left_the_owners_are_suggested_all_the_same(song: Song) -> None:
    song.add(ANN, 3, 3000)
    song.add(BEN, 4, 2000)
    assert song.suggested() == [("Ben", 4, False), ("Ann", 3, False)]


def test_who_commits_elsewhere_in_the_repository_is_still_there(song: Song) -> None:
    song.add(ANN, 9, 3000)
    song.add(BEN, 1, 50)
    song.elsewhere(ANN, 3)
    assert song.suggested() == [("Ann", 9, True), ("Ben", 1, True)]


def test_neither_bots_nor_who_made_the_change_are_suggested(song: Song) -> None:
    song.add(BOT, 9, 4)
    song.add(ANN, 8, 3)
    song.add(CARA, 7, 2)
    song.add(DORA, 6, 1)
    song.add(BEN, 5, 1)
    message = b"change\n\nCo-authored-by: Ann <ann@example.org>\n"
    assert song.suggested(by="Cara-C", author=DORA, message=message) == [("Ben", 5, True)]


def test_two_addresses_of_one_name_or_one_login_are_one_person(song: Song) -> None:
    song.add(BEN, 3, 3)
    song.add(b"ben <ben@home.example>", 2, 2)
    song.add(b"B. <ben@work.example>", 2, 1)
    song.add(ANN, 5, 1)
    logins = {"ben@example.org": "ben", "ben@work.example": "Ben"}
    assert song.suggested(logins=logins) == [("Ben", 7, True), ("Ann", 5, True)]


def test_who_made_the_change_is_known_by_the_login_of_their_other_address(song: Song) -> None:
    song.add(b"Ben at home <ben@home.example>", 2, 3)
    song.add(ANN, 1, 3)
    assert song.suggested(by="ben", logins={"ben@home.example": "ben"}) == [("Ann", 1, True)]


def test_no_more_are_suggested_than_asked_for(song: Song) -> None:
    for number in range(5):
        song.add(b"P%d <p%d@example.org>" % (number, number), number + 1, 1)
    assert [name for name, _, _ in song.suggested()] == ["P4", "P3", "P2"]


def test_times_that_no_calendar_holds_break_nothing(song: Song, history: History) -> None:
    song.add(ANN, 2, 1)
    history.commit({"odd.txt": b"1\n"}, author=BEN, time=1 << 62)
    assert song.suggested() == [("Ann", 2, True)]
