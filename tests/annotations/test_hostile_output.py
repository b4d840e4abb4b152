"""What a build may write to trouble whoever reads it: no remark comes of it, and never an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.annotations.collect import MESSAGE_CHARACTERS, MOST_REMARKS, remarks
from bot.annotations.lines import LINE_CHARACTERS, clean
from bot.annotations.paths import RepositoryPaths
from bot.annotations.remark import LEVELS
from bot.jobs.joblog import RECENT_LINES, JobLog
from bot.masking import Masker
from bot.model import NewEvent

FILES = ("a.py", "b.ts", "src/c.rs", "Dockerfile", "package.json")
PATHS = RepositoryPaths(FILES, workdirs=["/app"])
ALMOST = (
    "a.py:1" + ":1" * 500 + " error",
    "a.py:" + "1" * 990,
    "a.py" + " " * 990 + "[x",
    "z.py:1: error:" + " " * 980 + "[",
    "a.py:1: *** " + " " * 900 + "Stop",
    "   1:1  error  " + " x " * 300 + ")",
    " " * 995 + "at x",
    "(" * 990 + "1,1)",
    "a.ts" + "(1,1)" * 190 + ": err",
    "_" * 990 + " x",
    "__ a" + " __" * 300 + " x",
    "=" * 500 + " a" * 240,
    "at " + "a/" * 490 + "(A.java:1",
    "    at " + "a.b/" * 240 + "(A.java:1",
    "a." * 495 + "B: ",
    "thread '" + "', a" * 240,
    "thread 'x' panicked at '" + "', a.rs:1:" * 90,
    "[ERROR] " + "a:[1," * 190,
    '  File "' + 'a", line ' * 100,
    "#1 1.1 " * 140,
    "\x1b[" * 490,
    "\x1b]" * 490,
    "z.py: line 1, col 1, Error - " + " (a" * 300,
    "npm error Invalid " + "package.json" * 80,
    "failed to solve" + ": " * 480,
)


def test_lines_that_almost_match_come_to_nothing() -> None:
    assert remarks(ALMOST * 80, PATHS) == []


def test_a_hundred_megabytes_of_lines_that_almost_match_are_read_to_the_end() -> None:
    lines = _hundred_megabytes()
    assert [(one.path, one.line) for one in remarks(_log_of(lines).recent(), PATHS)] == [("b.ts", 7)]


def _hundred_megabytes() -> Iterator[str]:
    yield "a.py:3: error: too long ago"
    for _ in range(100 * 1024 * 1024 // sum(len(line) for line in ALMOST)):
        yield from ALMOST
    yield "b.ts(7,1): error TS1: the last word"


def _log_of(lines: Iterator[str]) -> JobLog:
    async def append(_: object) -> None:
        return None

    log = JobLog(append, Masker())
    for line in lines:
        log.line(line)
    return log


def test_a_log_remembers_its_last_lines_masked() -> None:
    masker, written = Masker(), list[NewEvent]()

    async def append(events: object) -> None:
        assert isinstance(events, list)
        written.extend(events)

    async def scenario() -> list[str]:
        log = JobLog(append, masker)
        assert log.recent() == []
        masker.register("hunter22")
        for number in range(RECENT_LINES + 10):
            log.line(f"{number} hunter22")
        await log.flush()
        return log.recent()

    recent = asyncio.run(scenario())
    assert (len(recent), recent[0], recent[-1]) == (RECENT_LINES, "10 ***", f"{RECENT_LINES + 9} ***")
    assert written


def test_remarks_are_bounded_in_number_and_size_and_errors_come_first() -> None:
    warnings = [f"a.py:{number}: warning: w{number}" for number in range(1, 100)]
    errors = [f"a.py:{number}: error: {'e' * 5000}{number}" for number in range(1, 11)]
    found = remarks([*warnings, *errors], PATHS)
    assert [one.level for one in found] == ["failure"] * 10 + ["warning"] * (MOST_REMARKS - 10)
    assert max(len(one.message) for one in found) <= MESSAGE_CHARACTERS


@pytest.mark.parametrize(
    "line", ["a.py:0: error: no such line", "a.py:99999999: error: no such line", "a.py:-1: error: x"]
)
def test_a_line_that_no_file_has_is_not_remarked(line: str) -> None:
    assert remarks([line], PATHS) == []


@pytest.mark.parametrize(
    "line",
    [
        "https://example.com/src/c.rs:3: error: not found",
        "see a.py:3 for more",
        "a.py:3: note: declared here",
        "a.py:3: 12 errors so far",
        "12:30:45: error: a.py is late",
        "b.ts:3:1 was read in 3 ms",
        "INFO a.py:3 warning: nothing of the kind",
        "    at main (a.py:3:1)",
        "    at render (node_modules/b.ts:3:1)",
        " --> src/c.rs:3:1",
        "E   AssertionError: a.py:3: error",
        "npm warn deprecated package.json: old",
        "FAILED a.py::test - assert 1",
        '  File "a.py", line 3, in main',
    ],
)
def test_a_line_that_only_speaks_of_a_file_is_not_remarked(line: str) -> None:
    assert remarks([line], PATHS) == []


def test_control_characters_do_not_reach_a_remark() -> None:
    (remark,) = remarks(["\x1b]0;title\x07\x1b[1ma.py:1: error: \x00be\x08ll\x07\x1b[0m\r\n"], PATHS)
    assert remark.message == "bell"


def test_a_progress_bar_is_what_it_ended_as() -> None:
    assert clean("10%\r50%\rdone\r\n") == "done"
    assert len(clean("x" * 10_000_000)) == LINE_CHARACTERS


MARKS = (
    *("/app/", "../", "C:\\", ":", ":1", ":1:1", ": error: ", "(1,2)", " - ", "error", "warning", "E0308", "● "),
    *(
        "Traceback (most recent call last):",
        '  File "',
        '", line 3',
        "E   ",
        "___ t ___",
        "= FAILURES =",
        "at ",
        "--> ",
    ),
    *("#12 0.4 ", "[ERROR] ", "npm error ", "panic: ", "\tx.go:1", "--- FAIL: ", "FAIL\tp\t", "thread '", "\x1b[3"),
)
PIECES = st.sampled_from([*FILES, *ALMOST, *MARKS])
LINES = st.lists(st.lists(PIECES | st.text(max_size=20), max_size=8).map("".join), max_size=30)


@settings(max_examples=150)
@given(LINES)
def test_whatever_is_written_only_files_of_the_repository_are_remarked(lines: list[str]) -> None:
    found = remarks(lines, PATHS)
    assert len(found) <= MOST_REMARKS
    for one in found:
        assert one.path in FILES
        assert 0 < one.line == one.end_line
        assert one.level in LEVELS
        assert one.message
        assert one.title


@settings(max_examples=100)
@given(st.text())
def test_any_path_is_a_file_of_the_repository_or_none(written: str) -> None:
    assert PATHS.find(written) in {*FILES, None}
