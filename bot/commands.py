"""The grammar of what people can say: one table makes the parser, the help, the README's table and "did you mean"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import UserMistake

MOST_COMMANDS = 10
"""Commands read of one comment; more is a paste, not a wish."""
BOT_NAME = "shipmate"

_WORD = re.compile(r"\A[a-z][a-z-]{1,20}\Z")
_REF = re.compile(r"\A(?!-)(?!.*\.\.)(?!.*@\{)(?!/)[^\s\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![./])\Z")
ENVIRONMENT = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_JOB = re.compile(r"\Adep_[a-z0-9]{10}\Z")
_MAY_COMMAND = re.compile(rf"(?:^|[\r\n])(?:/[a-z]|@{BOT_NAME}\b)", re.IGNORECASE)
_FENCE = re.compile(r"\A {0,3}(`{3,}|~{3,})")
_PRE = re.compile(r"<(/?)(pre|code|script|style)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One word of a command. `after` is the word that must stand before it (`to ENV`)."""

    name: str
    shown: str
    pattern: re.Pattern[str]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One row of the table. `needs` is the least permission on the repository."""

    name: str
    needs: str
    help: Mapping[str, str]
    parameters: tuple[Parameter, ...] = ()

    @property
    def usage(self) -> str:
        """As people write it: `/deploy [REF] [to ENV]`."""
        words = (f"[{p.after + ' ' if p.after else ''}{p.shown}]" for p in self.parameters)
        return " ".join((f"/{self.name}", *words))


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was understood. `raw` is the line it was said in."""

    name: str
    raw: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What a comment asks for, in order: commands, and mistakes worth an answer."""

    commands: tuple[Command, ...] = ()
    mistakes: tuple[UserMistake, ...] = ()


_ENV = Parameter("environment", "ENV", ENVIRONMENT)
_JOB_ID = Parameter("job", "JOB", _JOB)

COMMANDS: Mapping[str, CommandSpec] = {
    spec.name: spec
    for spec in (
        CommandSpec(
            "deploy",
            "write",
            {
                "en": "Build and deploy the pull request's head, or REF, blue/green.",
                "ko": "풀 리퀘스트의 최신 커밋(또는 REF)을 빌드하고 블루/그린으로 배포합니다.",
            },
            (Parameter("ref", "REF", _REF), Parameter("environment", "ENV", ENVIRONMENT, after="to")),
        ),
        CommandSpec(
            "rollback",
            "write",
            {
                "en": "Put the last good release back, at once and without a build.",
                "ko": "빌드 없이 즉시 마지막 정상 릴리스로 되돌립니다.",
            },
            (_ENV,),
        ),
        CommandSpec(
            "status",
            "read",
            {
                "en": "Show what runs where, and what is under way.",
                "ko": "어디에 무엇이 배포되어 있고 무엇이 진행 중인지 보여 줍니다.",
            },
            (_ENV,),
        ),
        CommandSpec(
            "cancel",
            "write",
            {
                "en": "Stop the job under way here, or JOB; what serves now goes on serving.",
                "ko": "여기서 진행 중인 작업(또는 JOB)을 멈춥니다. 현재 서비스는 그대로 유지됩니다.",
            },
            (_JOB_ID,),
        ),
        CommandSpec(
            "help",
            "none",
            {"en": "Show these commands.", "ko": "명령 목록을 보여 줍니다."},
            (Parameter("command", "COMMAND", re.compile(r"\A/?[a-z-]{1,20}\Z")),),
        ),
    )
}


def read_comment(body: str) -> Said:
    """The commands a comment holds. Code, quotes and HTML comments do not count; words of other bots are left alone."""
    if not _MAY_COMMAND.search(body):
        return Said()
    commands: list[Command] = []
    mistakes: list[UserMistake] = []
    for line in _spoken_lines(body):
        words = line.split()
        name = _command_word(words)
        if name is None:
            continue
        if len(commands) + len(mistakes) == MOST_COMMANDS:
            mistakes.append(UserMistake("too_many_commands", most=MOST_COMMANDS))
            break
        try:
            if (command := read_command(name, words[1:] if words[0][0] == "/" else words[2:], line)) is not None:
                commands.append(command)
        except UserMistake as mistake:
            mistakes.append(mistake)
    return Said(tuple(commands), tuple(mistakes))


def read_command(name: str, words: list[str], raw: str) -> Command | None:
    """One command of its words. None for a word that is no command and not like one. Raises UserMistake."""
    spec = COMMANDS.get(name)
    if spec is None:
        near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.7)
        if near:
            raise UserMistake("unknown_command", command=name, did_you_mean=near[0])
        return None
    return Command(name, raw[:1000], _arguments(spec, words))


def _arguments(spec: CommandSpec, words: list[str]) -> dict[str, str]:
    """Match the words to the parameters, in order; each may be left out."""
    found: dict[str, str] = {}
    rest = list(words)
    for parameter in spec.parameters:
        value = _take(parameter, rest, {p.after for p in spec.parameters})
        if value is None:
            continue
        if not parameter.pattern.match(value):
            raise _mistake(spec, "bad_argument", argument=parameter.shown, given=value[:100])
        found[parameter.name] = value
    if rest:
        raise _mistake(spec, "unexpected_word", given=rest[0][:100])
    return found


def _take(parameter: Parameter, rest: list[str], keywords: set[str | None]) -> str | None:
    if not rest:
        return None
    if parameter.after is None:
        return rest.pop(0) if rest[0] not in keywords else None
    if rest[0] != parameter.after:
        return None
    rest.pop(0)
    return rest.pop(0) if rest else ""


def _mistake(spec: CommandSpec, code: str, **facts: str) -> UserMistake:
    return UserMistake(code, command=spec.name, usage=spec.usage, **facts)


def _command_word(words: list[str]) -> str | None:
    """`/deploy …` or `@shipmate deploy …` give `deploy`; anything else None."""
    if not words:
        return None
    first = words[0].lower()
    if first.startswith("/"):
        word = first[1:]
    elif first.rstrip(",:") == f"@{BOT_NAME}" and len(words) > 1:
        word = words[1].lower()
    else:
        return None
    return word if _WORD.match(word) else None


def _spoken_lines(body: str) -> Iterator[str]:
    """Lines that are said: not in a code fence, a quote, an HTML comment, a <pre> block or indented as code."""
    fence: str | None = None
    in_comment = in_block = False
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if fence is not None:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            continue
        if in_comment:
            in_comment = "-->" not in line
            continue
        if in_block:
            in_block = not _closes_block(line)
            continue
        if opened := _FENCE.match(line):
            fence = opened[1]
            continue
        if line[:1] in {"/", "@"}:
            yield line
        in_comment = _leaves_comment_open(line)
        in_block = not in_comment and _leaves_block_open(line)


def _closes_block(line: str) -> bool:
    """Whether a line ends the <pre>, <code>, <script> or <style> block it stands in."""
    return any(tag[1] for tag in _PRE.finditer(line))


def _leaves_comment_open(line: str) -> bool:
    return "<!--" in line and line.rfind("<!--") > line.rfind("-->")


def _leaves_block_open(line: str) -> bool:
    tags = [tag[1] for tag in _PRE.finditer(line)] if "<" in line else []
    return bool(tags) and not tags[-1]
