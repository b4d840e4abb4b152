"""What people can say in a comment, and what is not meant for us."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command_table import with_table
from bot.commands import COMMANDS, MOST_COMMANDS, read_comment


def names(body: str) -> list[str]:
    return [command.name for command in read_comment(body).commands]


def mistakes(body: str) -> list[str]:
    return [mistake.code for mistake in read_comment(body).mistakes]


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        ("/deploy", {}),
        ("/deploy main", {"ref": "main"}),
        ("/deploy to staging", {"environment": "staging"}),
        ("/deploy feature/x to staging", {"ref": "feature/x", "environment": "staging"}),
        ("/DEPLOY  v1.2.3   to pr-42", {"ref": "v1.2.3", "environment": "pr-42"}),
        ("@shipmate deploy main", {"ref": "main"}),
        ("@Shipmate, deploy main", {"ref": "main"}),
        ("Looks good.\r\n/deploy main\r\nthanks", {"ref": "main"}),
    ],
)
def test_a_deploy_is_understood(body: str, arguments: dict[str, str]) -> None:
    (command,) = read_comment(body).commands
    assert (command.name, dict(command.arguments)) == ("deploy", arguments)


def test_several_commands_in_one_comment_are_read_in_order() -> None:
    assert names("/status\nand then\n/deploy\n/help") == ["status", "deploy", "help"]


@pytest.mark.parametrize(
    "body",
    [
        "```\n/deploy\n```",
        "~~~sh\n/deploy\n~~~",
        "````\n```\n/deploy\n```\n````",
        "> /deploy",
        "<!--\n/deploy\n-->",
        "<!-- /deploy -->",
        "    /deploy",
        "<pre>\n/deploy\n</pre>",
        "please /deploy",
        "`/deploy`",
        "/deployment/Dockerfile is wrong",
        "/home/me/deploy",
        "/cc @someone",
        "@shipmate",
        "@shipmates deploy",
        "",
    ],
)
def test_what_is_not_said_to_us_is_left_alone(body: str) -> None:
    said = read_comment(body)
    assert (said.commands, said.mistakes) == ((), ())


def test_a_command_after_a_closed_block_counts() -> None:
    assert names("```\n/rollback\n```\n<!-- x -->\n<pre>y</pre>\n/deploy") == ["deploy"]


def test_a_near_miss_is_answered_with_the_command_meant() -> None:
    (mistake,) = read_comment("/deplyo main").mistakes
    assert (mistake.code, mistake.facts["did_you_mean"]) == ("unknown_command", "deploy")


@pytest.mark.parametrize(
    "ref", ["--upload-pack=touch", "-x", "a..b", "a b\x00", "x~1", "x^", "a:b", "a\\b", "@{-1}", "/x", "x.", "x" * 300]
)
def test_a_ref_that_could_be_anything_else_is_refused(ref: str) -> None:
    said = read_comment(f"/deploy {ref}")
    assert said.commands == ()
    assert said.mistakes[0].code in {"bad_argument", "unexpected_word"}


@pytest.mark.parametrize(
    "line", ["/deploy a b c", "/deploy to", "/deploy to UPPER", "/cancel everything", "/status a b"]
)
def test_words_too_many_or_wrong_are_answered_with_the_usage(line: str) -> None:
    (mistake,) = read_comment(line).mistakes
    assert mistake.facts["usage"] == COMMANDS[line.split()[0][1:]].usage


def test_a_flood_of_commands_is_cut() -> None:
    said = read_comment("/status\n" * 5000)
    assert len(said.commands) == MOST_COMMANDS
    assert mistakes("/status\n" * 5000) == ["too_many_commands"]


@given(st.text(max_size=2000))
def test_no_comment_ever_breaks_the_reading(body: str) -> None:
    read_comment(body)


@given(
    st.lists(st.sampled_from(["/deploy", "```", "~~~", "<!--", "-->", "<pre>", "</pre>", "> x", "", "@shipmate help"]))
)
def test_only_known_commands_come_out(lines: list[str]) -> None:
    assert all(command.name in COMMANDS for command in read_comment("\n".join(lines)).commands)


def test_the_readme_shows_exactly_the_commands_there_are() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme
