"""What a program writes, as lines of a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engines.lines import LONGEST_LINE_BYTES, LineCutter


def lines(*parts: bytes) -> list[str]:
    cutter = LineCutter()
    found = [line for part in parts for line in cutter.feed(part)]
    return found + cutter.rest()


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((b"one\ntwo",), ["one", "two"]),
        ((b"o", b"ne\n", b"\n"), ["one", ""]),
        ((b"one\r\ntwo\r", b"\n"), ["one", "two"]),
        ((b"10%\r50%\r100%\n",), ["100%"]),
        ((b"10%\r", b"50%", b"\r100%\n"), ["100%"]),
        ((b"\xec\x95", b"\x88\n"), ["안"]),
        ((b"\xff\n",), ["\ufffd"]),
        ((b"",), []),
    ],
)
def test_lines_are_told_as_a_terminal_would_leave_them(parts: tuple[bytes, ...], told: list[str]) -> None:
    assert lines(*parts) == told


def test_a_line_without_an_end_is_cut_and_says_so() -> None:
    told = lines(*[b"x" * 1000] * 100, b"\nnext\n")
    assert told == ["x" * LONGEST_LINE_BYTES + " …", "next"]


@given(st.binary(), st.integers(1, 9))
def test_where_the_pieces_are_cut_changes_nothing(data: bytes, size: int) -> None:
    assert lines(*(data[at : at + size] for at in range(0, len(data), size))) == lines(data)
