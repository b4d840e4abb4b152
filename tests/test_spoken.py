"""Which lines of a comment are said: read as GitHub shows them, and quickly, whatever somebody writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.parsing import LONGEST, comments
from bot.commands import read_comment
from bot.spoken import MOST_LOOKS, spoken_lines

PIECES = ["/deploy", "```", "````", "~~~", "``` sh", "<!--", "-->", "<!-- x -->", "<pre>", "</pre>", "<code>x</code>"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("/a\r/b\r\n/c", ["/a", "/b", "/c"]),
        ("```\n/a\n````\n/b", ["/b"]),
        ("````\n/a\n```\n/b", []),
        ("```\n/a\n``` no end\n/b\n```\n/c", ["/c"]),
        ("   ```\n/a\n   ```\n/b", ["/b"]),
        ("    ```\n/a", ["/a"]),
        ("~~~\n/a\n```\n/b\n~~~\n/c", ["/c"]),
        ("<!--\n/a\n--> /b\n/c", ["/c"]),
        ("/a <!-- \n/b\n-->\n/c", ["/a <!-- ", "/c"]),
        ("<!-- x --> y <!--\n/a", []),
        ("<PRE class='x'>\n/a\n</PRE>\n/b", ["/b"]),
        ("<pre\n/a\n</pre>\n/b", ["/b"]),
        ("<pre>x</pre> <code>\n/a\n</code>\n/b", ["/b"]),
        ("<preface>\n/a", ["/a"]),
        ("<style>\n/a\n</style>\n@b", ["@b"]),
        ("x\n  /a\n> /b\n/c", ["/c"]),
    ],
)
def test_only_what_is_said_is_read(body: str, said: list[str]) -> None:
    assert list(spoken_lines(body)) == said


@given(st.lists(st.sampled_from([*PIECES, "> /x", "", "prose"])))
def test_lines_that_are_said_are_lines_of_the_comment_in_their_order(lines: list[str]) -> None:
    rest = iter(lines)
    assert all(said in rest for said in spoken_lines("\n".join(lines)))


@given(st.lists(st.sampled_from([*PIECES, "prose"])), st.sampled_from(["```", "~~~~", "<!--", "<pre>"]))
def test_nothing_is_said_in_what_is_left_open(lines: list[str], opened: str) -> None:
    """Whatever stood before: it is closed first, then something is opened, and nothing closes that."""
    before = "\n".join([*lines, "````", "~~~", "-->", "</pre>"])
    within = f"{opened}\n/deploy\n/deploy"
    assert len(list(spoken_lines(within))) == 0
    assert len(list(spoken_lines(f"{before}\n"))) <= lines.count("/deploy")


def test_a_comment_with_too_much_to_look_at_is_not_obeyed_to_its_end() -> None:
    body = "```\n```\n" * (MOST_LOOKS + 1) + "/deploy"
    assert list(spoken_lines(body)) == []
    assert list(spoken_lines("```\n```\n" * (MOST_LOOKS - 1) + "/deploy")) == ["/deploy"]


@pytest.mark.parametrize("name", comments())
def test_a_hostile_comment_of_the_greatest_length_is_read_in_linear_work(name: str) -> None:
    """Not timed: what is quadratic would not end, and the bench measures the rest."""
    body = comments()[name]
    assert LONGEST - 100 < len(body) <= LONGEST + 100
    read_comment(body * 4)
