"""Who changed what and when, counted as git counts it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.jobs.analysis.reports.series import moment
from bot.jobs.analysis.request import Window
from bot.jobs.analysis.runs.resident import States
from tests.analysis.histories import ANN, BEN, Fuzzer, History, git
from tests.analysis.running import analysed, cold_state, series


def at(text: str) -> int:
    """A moment in UTC as seconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def numstat(repository: Path) -> list[tuple[bytes, bytes, int, int]]:
    """What `git log --numstat` counts without context, merges aside; a binary file counts nothing."""
    options = ("--no-merges", "--numstat", "--no-renames", "-z", "--format=%x01%H")
    rows, commit = [], b""
    for token in git(repository, "-c", "diff.context=0", "log", *options).split(b"\0"):
        text = token.lstrip(b"\n")
        if text.startswith(b"\1"):
            commit, text = text[1:41], text[41:].lstrip(b"\n")
        if text:
            added, deleted, path = text.split(b"\t", 2)
            rows.append((commit, path, int(added.replace(b"-", b"0")), int(deleted.replace(b"-", b"0"))))
    return sorted(row for row in rows if row[2] or row[3])


@pytest.mark.parametrize("seed", range(200, 215))
def test_random_histories_count_as_git_does(history: History, seed: int) -> None:
    Fuzzer(seed).fill(history, 50)
    repository = history.write()
    counted = [row for row in series(cold_state(repository)) if row[2] or row[3]]
    assert counted == numstat(repository)


def test_weeks_begin_on_monday_and_months_on_the_first(history: History) -> None:
    history.commit({"a.py": b"1\n"}, time=at("2026-03-01T23:59:59"))  # a Sunday
    history.commit({"a.py": b"1\n2\n"}, time=at("2026-03-02T00:00:00"))
    report = analysed(history.write())
    assert [str(row.start) for row in report.week] == ["2026-02-23", "2026-03-02"]
    assert [(str(row.start), row.commits, row.added) for row in report.month] == [("2026-03-01", 2, 2)]


def test_a_commit_counts_once_in_each_language_it_touches(history: History) -> None:
    history.commit({"a.py": b"1\n", "b.py": b"1\n2\n", "c.js": b"1\n"})
    rows = {row.language: (row.commits, row.added, row.deleted) for row in analysed(history.write()).week}
    assert rows == {"Python": (1, 3, 0), "JavaScript": (1, 1, 0)}


def test_an_author_has_first_and_last_commit_and_touched_extensions(history: History) -> None:
    history.commit({"a.py": b"1\n", "b.PY": b"1\n", "Makefile": b"all:\n"}, time=at("2026-01-05T10:00:00"))
    history.commit({"a.py": b"2\n"}, time=at("2026-02-05T10:00:00"))
    [author] = analysed(history.write()).authors
    assert (author.commits, author.added, author.deleted) == (2, 4, 1)
    assert (author.first_commit, author.last_commit) == ("2026-01-05T10:00:00Z", "2026-02-05T10:00:00Z")
    assert author.extensions == {".py": 3}


def test_what_is_left_out_counts_in_no_series_not_even_once_it_is_gone(history: History) -> None:
    lock, bundle, table = b"{}\n" * 900, b"x;\n" * 800, b"1\n" * 700
    history.commit({"a.py": b"1\n", "package-lock.json": lock, "vendor/x.js": bundle, "made/table.sql": table})
    gone = {".gitattributes": b"made/* linguist-generated\n", "vendor/x.js": None}
    history.commit({"a.py": b"1\n2\n", "package-lock.json": lock * 2, "made/table.sql": table * 2, **gone})
    repository = history.write()
    [author] = analysed(repository, all_files=False).authors
    assert (author.commits, author.added, author.deleted) == (2, 2, 0)
    assert author.extensions == {".py": 2}
    for kept in (None, States(repository.parent / "states")):
        for days in (False, True):
            report = analysed(repository, kept, all_files=False, days=days)
            assert {row.language: row.added - row.deleted for row in report.month} == {"Python": 2}
    [author] = analysed(repository).authors
    assert (author.added, author.deleted) == (2 + 1800 + 800 + 1400 + 1, 800)


def test_a_merge_counts_only_where_it_is_asked_for(history: History) -> None:
    root = history.commit({"a.txt": b"1\n"})
    left = history.commit({"b.txt": b"1\n"}, [root])
    right = history.commit({"c.txt": b"1\n"}, [root])
    history.commit({"b.txt": b"1\n", "c.txt": b"1\n"}, [left, right], author=BEN)
    repository = history.write()
    assert [entry.author.name for entry in analysed(repository).authors] == ["Ann"]
    with_merges = {entry.author.name: entry.commits for entry in analysed(repository, merges=True).authors}
    assert with_merges == {"Ann": 3, "Ben": 1}


def test_a_window_limits_what_was_done_but_not_what_is_there(history: History) -> None:
    history.commit({"a.txt": b"1\n"}, time=at("2026-01-05T10:00:00"))
    history.commit({"a.txt": b"1\n2\n"}, time=at("2026-02-05T10:00:00"), author=BEN)
    report = analysed(history.write(), window=Window(at("2026-02-01T00:00:00"), at("2026-03-01T00:00:00")))
    assert {entry.author.name: (entry.lines, entry.commits) for entry in report.authors} == {
        "Ann": (1, 0),
        "Ben": (1, 1),
    }
    assert [str(row.start) for row in report.month] == ["2026-02-01"]


def test_co_authors_are_counted_apart_from_blame(history: History) -> None:
    trailers = b"a change\n\nCo-authored-by: Ben <ben@example.org>\nCo-Authored-By: Robot <robot@example.org>\n"
    history.commit({"a.txt": b"1\n"}, message=trailers)
    history.commit({"a.txt": b"2\n"}, message=b"x\n\nCo-authored-by: Ben <ben@example.org>\n")
    history.commit({"a.txt": b"3\n"}, message=b"x\n\nCo-authored-by: broken <a<b>>\n")
    report = analysed(history.write(), co_authors=True)
    assert [(str(entry.author), entry.commits) for entry in report.co_authors or ()] == [
        ("Ben <ben@example.org>", 2),
        ("Robot <robot@example.org>", 1),
    ]
    assert [entry.author.name for entry in report.authors] == ["Ann"]


def test_times_no_calendar_holds_are_told_as_they_are(history: History) -> None:
    history.commit({"a.txt": b"1\n"}, time=2**53)
    report = analysed(history.write())
    assert report.authors[0].first_commit == f"@{2**53}"
    assert moment(0) == "1970-01-01T00:00:00Z"


def test_the_authors_lines_are_the_sum_of_their_periods(history: History) -> None:
    Fuzzer(3).fill(history, 40)
    report = analysed(history.write())
    for rows in (report.week, report.month):
        assert sum(row.added for row in rows) == sum(entry.added for entry in report.authors)
        assert {row.author for row in rows} <= {entry.author for entry in report.authors}


def test_authors_are_those_of_the_commits(history: History) -> None:
    history.commit({"a.txt": b"1\n"}, author=ANN)
    history.commit({"b.txt": b"1\n"}, author=BEN)
    assert [str(entry.author) for entry in analysed(history.write()).authors] == [ANN.decode(), BEN.decode()]
