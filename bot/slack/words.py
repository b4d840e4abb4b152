"""Reads what people say to us in Slack: the grammar of comments, with the repository named first, and some words more.

`/shipmate deploy owner/repo[@ref] [to ENV]` is `/deploy [REF] [to ENV]` said for that repository.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot import messages
from bot.commands import COMMANDS, read_command
from bot.errors import UserMistake
from bot.grammar import ENVIRONMENT, Command, CommandSpec

ACCOUNT_WORDS: Mapping[str, str] = {
    "link": "slack.help.link",
    "unlink": "slack.help.unlink",
    "whoami": "slack.help.whoami",
}
"""What can be said in Slack alone, with the key of what it does."""
CHANNEL_WORDS: Mapping[str, tuple[str, str]] = {
    "bind": ("/shipmate bind OWNER/REPO [to ENV]", "slack.help.bind"),
    "unbind": ("/shipmate unbind", "slack.help.unbind"),
}
"""What is said of the channel itself: usage, and the key of what it does."""
CHANNEL_ROLE = "maintain"
"""The least role on the repository of one who says what a channel is about."""
STARTS_A_JOB = frozenset({"deploy", "rollback", "promote", "preview"})
SAID_OTHERWISE: Mapping[str, str] = {
    "deploy": "slack.help.deploy",
    "cancel": "slack.help.cancel",
    "inspect": "slack.help.inspect",
}
"""Commands whose help speaks of the pull request, of which there is none here."""
_REPOSITORY = re.compile(r"\A([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})(?:@(\S{1,255}))?\Z")
MOST_CHARACTERS = 1000
SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as it was understood. `repository` is `owner/name`; None: it is the one the channel is about."""

    command: Command
    repository: str | None = None


def read_words(text: str) -> Asked:
    """What stood after `/shipmate`. Nothing at all asks for help. Raises UserMistake with the usage as Slack has it."""
    words = text[:MOST_CHARACTERS].split() or ["help"]
    name, rest = words[0].lower().removeprefix("/"), words[1:]
    if name in ACCOUNT_WORDS:
        return Asked(_account(name, rest, text))
    if name in CHANNEL_WORDS:
        return _channel(name, rest, text)
    spec = COMMANDS.get(name)
    if spec is None:
        raise _unknown(name)
    repository, said = _named(spec, rest)
    return Asked(_command(spec, said, text), repository)


def repository_needed(command: Command) -> UserMistake:
    """What is said where no repository was named and the channel has none."""
    return _mistake(COMMANDS[command.name], "repository_needed")


def usage(spec: CommandSpec) -> str:
    """As people type it in Slack: `/shipmate deploy OWNER/REPO[@REF] [to ENV]`."""
    words = list(spec.words())
    if spec.needs != "none":
        takes_ref = [parameter.name for parameter in spec.parameters[:1]] == ["ref"]
        words = ["OWNER/REPO[@REF]" if takes_ref else "OWNER/REPO", *(words[1:] if takes_ref else words)]
    return " ".join(("/shipmate", spec.name, *words))


def help_in_slack(locale: str, only: str | None = None) -> str:
    """The commands that work here, made from the grammar."""
    lines = [f"• `{usage(spec)}` — {_does(spec, locale)}" for spec in COMMANDS.values() if only in {None, spec.name}]
    others = {word: (f"/shipmate {word}", key) for word, key in ACCOUNT_WORDS.items()} | dict(CHANNEL_WORDS)
    for word, (shown, key) in others.items():
        if only in {None, word}:
            lines.append(f"• `{shown}` — {messages.say(locale, key)}")
    return "\n".join([messages.say(locale, "slack.help.title"), *lines])


def _does(spec: CommandSpec, locale: str) -> str:
    if spec.name in SAID_OTHERWISE:
        return messages.say(locale, SAID_OTHERWISE[spec.name])
    return spec.help["ko" if locale == "ko" else "en"]


def job_named(command: Command) -> str | None:
    """The job a command names, where it names one."""
    return command.arguments.get("job")


def _named(spec: CommandSpec, rest: list[str]) -> tuple[str | None, list[str]]:
    """The repository of the first word, if it is one, and the words the grammar is to read: `@REF` stands for REF."""
    if spec.needs == "none" or not rest:
        return None, rest
    repository, ref = _repository_and_ref(rest[0])
    if repository is None and ref is None:
        return None, rest
    if ref is None:
        return repository, rest[1:]
    if "ref" not in {parameter.name for parameter in spec.parameters}:
        raise _mistake(spec, "unexpected_word", given=_shown(f"@{ref}"))
    return repository, [ref, *rest[1:]]


def _repository_and_ref(word: str) -> tuple[str | None, str | None]:
    """`owner/name@ref`, `owner/name`, `@ref`, or neither."""
    if word.startswith("@"):
        return None, word[1:]
    found = _REPOSITORY.match(word)
    return (found[1], found[2]) if found else (None, None)


def _channel(name: str, rest: list[str], raw: str) -> Asked:
    """`bind OWNER/REPO [to ENV]`, `unbind`. Raises UserMistake."""
    command = f"shipmate {name}"
    words = list(rest)
    named = _REPOSITORY.match(words[0]) if name == "bind" and words else None
    if name == "bind" and (named is None or named[2] is not None):
        raise UserMistake("repository_needed", command=command, usage=CHANNEL_WORDS[name][0])
    words = words[1:] if named else words
    arguments = {}
    if named and len(words) == 2 and words[0] == "to" and ENVIRONMENT.match(words[1]):
        arguments, words = {"environment": words[1]}, []
    if words:
        raise UserMistake("unexpected_word", command=command, usage=CHANNEL_WORDS[name][0], given=_shown(words[0]))
    return Asked(Command(name, raw[:MOST_CHARACTERS], arguments), named[1] if named else None)


def _account(name: str, rest: list[str], raw: str) -> Command:
    if rest:
        word = f"shipmate {name}"
        raise UserMistake("unexpected_word", command=word, usage=f"/{word}", given=_shown(rest[0]))
    return Command(name, raw[:MOST_CHARACTERS])


def _command(spec: CommandSpec, words: list[str], raw: str) -> Command:
    try:
        command = read_command(spec.name, words, raw)
    except UserMistake as mistake:
        given = _shown(str(mistake.facts.get("given", "")))
        facts = {name: fact for name, fact in mistake.facts.items() if name == "argument"}
        raise _mistake(spec, mistake.code, given=given, **facts) from mistake
    if command is None:
        raise _unknown(spec.name)
    return command


def _unknown(name: str) -> UserMistake:
    near = difflib.get_close_matches(name, [*COMMANDS, *ACCOUNT_WORDS, *CHANNEL_WORDS], n=1, cutoff=0.6)
    if near:
        return UserMistake("unknown_command", command=f"shipmate {_shown(name)}", did_you_mean=f"shipmate {near[0]}")
    return UserMistake("slack_unknown_command", given=_shown(name))


def _mistake(spec: CommandSpec, code: str, **facts: str) -> UserMistake:
    return UserMistake(code, command=f"shipmate {spec.name}", usage=usage(spec), **facts)


def _shown(word: str) -> str:
    return messages.neutral(word, SHOWN_CHARACTERS)
