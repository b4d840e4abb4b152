"""Reads what people say to us in Slack: the grammar of comments, with the repository named first, and some words more.

`/shipmate deploy owner/repo[@ref] [to ENV]` is `/deploy [REF] [to ENV]` said for that repository.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot import messages
from bot.commands import COMMANDS
from bot.errors import UserMistake
from bot.grammar import ENVIRONMENT, Command, CommandSpec, Parameter, read_arguments
from bot.shown.help import option_lines

NOISE_LEVELS = "all|ends|failures|off"
CHANNEL_ROLE = "maintain"
"""The least role on the repository of one who says what a channel is about."""
STARTS_A_JOB = frozenset({"analyze", "deploy", "rollback", "promote", "preview", "retry"})
_NOISE = re.compile(r"\A(?:all|ends|failures|off)\Z")


def _own(name: str, needs: str, *parameters: Parameter) -> CommandSpec:
    """A word of Slack's own; what it does stands in the wording under its name."""
    does = {language: messages.say(language, f"slack.help.{name}") for language in ("en", "ko")}
    return CommandSpec(name, needs, does, parameters)


OWN: Mapping[str, CommandSpec] = {
    spec.name: spec
    for spec in (
        _own("dialog", "none"),
        _own("releases", "read", Parameter("environment", "ENV", ENVIRONMENT)),
        _own(
            "bind",
            CHANNEL_ROLE,
            Parameter("environment", "ENV", ENVIRONMENT, after="to"),
            Parameter("noise", NOISE_LEVELS, _NOISE, after="--noise"),
        ),
        _own("noise", "none", Parameter("noise", NOISE_LEVELS, _NOISE, needed=True)),
        _own("unbind", "none"),
        _own("link", "none"),
        _own("unlink", "none"),
        _own("whoami", "none"),
    )
}
"""What can be said in Slack alone, or is answered otherwise there."""
ACCOUNT_WORDS = frozenset({"link", "unlink", "whoami"})
"""What is said about one's own account."""
CHANNEL_WORDS = frozenset({"bind", "unbind", "noise"})
"""What is said of the channel itself."""
SAID_OTHERWISE: Mapping[str, str] = {
    "deploy": "slack.help.deploy",
    "cancel": "slack.help.cancel",
    "inspect": "slack.help.inspect",
}
"""Commands whose help speaks of the pull request, of which there is none here."""
_REPOSITORY = re.compile(r"\A([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})(?:@(\S{1,255}))?\Z")
_COMMAND = re.compile(r"`/([a-z]{2,20})(?=[ `])")
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
    spec = _spec(name)
    if spec is None:
        raise _unknown(name)
    repository, said = _named(spec, rest)
    if name == "bind" and repository is None:
        raise _mistake(spec, "repository_needed")
    return Asked(_command(spec, said, text), repository)


def repository_needed(command: Command) -> UserMistake:
    """What is said where no repository was named and the channel has none."""
    return _mistake(OWN.get(command.name) or COMMANDS[command.name], "repository_needed")


def _spec(name: str) -> CommandSpec | None:
    return OWN.get(name) or COMMANDS.get(name)


def usage(spec: CommandSpec) -> str:
    """As people type it in Slack: `/shipmate deploy OWNER/REPO[@REF] [to ENV]`."""
    words = list(spec.words())
    if spec.needs != "none":
        takes_ref = [parameter.name for parameter in spec.parameters[:1]] == ["ref"]
        words = ["OWNER/REPO[@REF]" if takes_ref else "OWNER/REPO", *(words[1:] if takes_ref else words)]
    return " ".join(("/shipmate", spec.name, *words))


def help_in_slack(locale: str, only: str | None = None) -> str:
    """The commands that work here, made from the grammar."""
    known = {**COMMANDS, **OWN}
    if only is not None:
        return _help_with(locale, known[only])
    lines = [f"• `{usage(spec)}` — {_does(spec, locale)}" for spec in known.values()]
    return "\n".join([messages.say(locale, "slack.help.title"), *lines])


def _help_with(locale: str, spec: CommandSpec) -> str:
    parts = [f"`{usage(spec)}`", _does(spec, locale), *filter(None, [option_lines(locale, spec)])]
    if spec.examples:
        examples = (f"• {spoken(f'`/{example}`', 'OWNER/REPO')}" for example in spec.examples)
        parts.append("\n".join([messages.say(locale, "help.examples"), *examples]))
    return "\n\n".join(parts)


def spoken(text: str, repository: str | None = None) -> str:
    """The commands a text names, as they are typed in Slack: about that repository, so that it fits in any channel."""

    def said(found: re.Match[str]) -> str:
        spec = COMMANDS.get(found[1])
        if spec is None:
            return found[0]
        about = f" {repository}" if repository and spec.needs != "none" else ""
        return f"`/shipmate {found[1]}{about}"

    return _COMMAND.sub(said, text)


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


def _command(spec: CommandSpec, words: list[str], raw: str) -> Command:
    try:
        return read_arguments(spec, words, raw)
    except UserMistake as mistake:
        given = _shown(str(mistake.facts.get("given", "")))
        facts = {name: fact for name, fact in mistake.facts.items() if name in {"argument", "did_you_mean"}}
        raise _mistake(spec, mistake.code, given=given, **facts) from mistake


def _unknown(name: str) -> UserMistake:
    near = difflib.get_close_matches(name, [*COMMANDS, *OWN], n=1, cutoff=0.6)
    if near:
        return UserMistake("unknown_command", command=f"shipmate {_shown(name)}", did_you_mean=f"shipmate {near[0]}")
    return UserMistake("slack_unknown_command", given=_shown(name))


def _mistake(spec: CommandSpec, code: str, **facts: str) -> UserMistake:
    return UserMistake(code, command=f"shipmate {spec.name}", usage=usage(spec), **facts)


def _shown(word: str) -> str:
    return messages.neutral(word, SHOWN_CHARACTERS)
