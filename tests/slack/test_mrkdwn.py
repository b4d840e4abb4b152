"""What was worded in GitHub's markup is said in Slack's, and what others wrote has no power there."""

from __future__ import annotations

import pytest

from bot.slack.mrkdwn import cut, escaped, log_text, mrkdwn, pieces


@pytest.mark.parametrize(
    ("markdown", "slack"),
    [
        ("**bold** and `code`", "*bold* and `code`"),
        ("[live log](https://a.test/x?y=1&z=2)", "<https://a.test/x?y=1&amp;z=2|live log>"),
        ("[`f6b15be`](https://a.test/x) `code`", "<https://a.test/x|f6b15be> `code`"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("| A | B |\n|---|---:|\n| `x` | 1 |\n| y |  |", "• `x` — 1\n• y"),
        ("|---|", ""),
        ("", ""),
        ("| a | b |\n|---|---|\n| one | – |\n| – | two |", "• one\n• – — two"),
    ],
)
def test_markup_is_changed_into_slacks(markdown: str, slack: str) -> None:
    assert mrkdwn(markdown) == slack


@pytest.mark.parametrize("text", ["<!channel>", "<@U0BORA>", "<https://evil.test|click>", "[x](javascript:alert(1))"])
def test_nothing_others_wrote_mentions_or_links(text: str) -> None:
    assert "<" not in mrkdwn(text)
    assert "<" not in escaped(text)


def test_a_fence_in_a_log_cannot_end_the_fence_around_it() -> None:
    text = log_text(("one", "```", "<!channel>"))
    assert text.count("```") == 2
    assert "<!channel>" not in text


@pytest.mark.parametrize("length", [2999, 3000, 3001, 100_000])
def test_long_texts_are_cut_to_what_slack_takes(length: int) -> None:
    assert len(cut("x" * length)) == min(length, 3000)
    assert len(log_text(("&" * length,))) <= 3000


def test_a_long_text_is_parted_between_its_lines_and_loses_none() -> None:
    lines = [f"line {number}" for number in range(1000)]
    parts = pieces("\n".join(lines))
    assert "".join(parts).splitlines() == lines
    assert max(len(part) for part in parts) <= 3000
