"""What is too long for GitHub is cut where a reader can live with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github import limits


def test_a_text_that_fits_is_left_alone() -> None:
    text = "x" * limits.COMMENT_CHARACTERS
    assert limits.comment_body(text) == text


def test_a_long_comment_is_cut_at_the_end_of_a_line_with_a_note() -> None:
    lines = [f"line {number}" for number in range(20_000)]
    body = limits.comment_body("\n".join(lines))
    assert len(body) <= limits.COMMENT_CHARACTERS
    assert body.endswith(limits.CUT_NOTE)
    kept = body.removesuffix(limits.CUT_NOTE).split("\n")
    assert kept == lines[: len(kept)]


def test_a_line_without_end_is_cut_within() -> None:
    body = limits.comment_body("x" * 100_000)
    assert len(body) == limits.COMMENT_CHARACTERS


def test_a_cut_log_closes_its_fence_and_its_details() -> None:
    body = limits.comment_body("<details><summary>Log</summary>\n\n```\n" + "hello\n" * 20_000 + "```\n</details>")
    assert body.removesuffix(limits.CUT_NOTE).endswith("hello\n```\n</details>")
    assert len(body) <= limits.COMMENT_CHARACTERS


def test_check_texts_are_counted_in_bytes_so_korean_fits() -> None:
    text = limits.check_text("배포가 끝났습니다\n" * 5_000)
    assert len(text.encode()) <= limits.CHECK_TEXT_BYTES
    assert text.endswith(limits.CUT_NOTE)


@given(st.text(st.sampled_from("a가😀`\n"), min_size=0, max_size=40).map(lambda text: (text or "`") * 5_000))
def test_whatever_is_said_fits(text: str) -> None:
    assert len(limits.comment_body(text)) <= limits.COMMENT_CHARACTERS
    assert len(limits.check_text(text).encode()) <= limits.CHECK_TEXT_BYTES
    assert len(limits.annotation_message(text).encode()) <= limits.ANNOTATION_MESSAGE_BYTES


@pytest.mark.parametrize(
    ("text", "line"),
    [("Roll back", "Roll back"), ("Roll\n back ", "Roll back"), ("Roll back to the last", "Roll back to the la…")],
)
def test_a_label_is_one_line_of_the_length_github_takes(text: str, line: str) -> None:
    assert limits.one_line(text, limits.ACTION_LABEL_CHARACTERS) == line


def test_a_cut_log_that_holds_fences_of_its_own_is_closed_by_the_fence_it_began_with() -> None:
    log = "````text\n```\n<details>\n" + "hello\n" * 20_000 + "````\n"
    body = limits.comment_body("<details><summary>Log</summary>\n\n" + log + "</details>")
    assert body.removesuffix(limits.CUT_NOTE).endswith("hello\n````\n</details>")
    assert body.count("</details>") == 1
