"""The grammar of what people can say: one table makes the parser, the help, the README's table and "did you mean"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.errors import UserMistake
from bot.grammar import (
    DURATION,
    ENVIRONMENT,
    JOB,
    MOST_WORDS,
    REF,
    Command,
    CommandSpec,
    Parameter,
    Takes,
    read_arguments,
)
from bot.spoken import spoken_lines

MOST_COMMANDS = 10
"""Commands read of one comment; more is a paste, not a wish."""
MOST_STRANGE = 10
"""Unknown words of one comment that are looked at for the command they may mean: other bots have commands, too."""
BOT_NAME = "shipmate"

_WORD = re.compile(r"\A[a-z][a-z-]{1,20}\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """What a comment asks for, in order: commands, and mistakes worth an answer."""

    commands: tuple[Command, ...] = ()
    mistakes: tuple[UserMistake, ...] = ()


_ENV = Parameter("environment", "ENV", ENVIRONMENT)
_ALL = Parameter("all", "", after="--all", takes=Takes.NOTHING, instead=True)
_REASON = Parameter("reason", "TEXT", after="--reason", takes=Takes.TEXT)
_ENVIRONMENTS = re.compile(r"\A[a-z0-9](?:[a-z0-9,-]{0,398}[a-z0-9])?\Z")
_PULL = re.compile(r"\A#?[1-9][0-9]{0,8}\Z")
_PERCENT = re.compile(r"\A[1-9][0-9]?%?\Z")
_RELEASE = re.compile(r"\A(?:v?[0-9]{1,6}|[0-9a-f]{7,64}|last-good)\Z")
_SOMEBODY = re.compile(r"\A@[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?\Z")
_NOBODY = re.compile(rf"(?!@){REF.pattern}")
_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z")
_STAGE = re.compile(r"\A[1-6]\Z")
_JOB_ID = Parameter("job", "JOB", JOB)
_ENV_BUT_NO_JOB = Parameter("environment", "ENV", re.compile(rf"(?!{JOB.pattern}){ENVIRONMENT.pattern}"))
_JOB_INSTEAD = Parameter("job", "JOB", JOB, instead=True)

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
            (
                Parameter("ref", "REF|SHA", REF),
                Parameter("environment", "ENV[,ENV…]", _ENVIRONMENTS, after="to"),
                Parameter("noop", "", after="--noop", takes=Takes.NOTHING),
                Parameter("canary", "PERCENT", _PERCENT, after="--canary"),
                _REASON,
                Parameter("pairs", "KEY=VALUE…", after="--", takes=Takes.PAIRS),
            ),
            examples=(
                "deploy",
                "deploy to staging",
                "deploy v1.4 to production --canary 10",
                'deploy main to staging,production --reason "the fix of #42"',
            ),
        ),
        CommandSpec(
            "rollback",
            "write",
            {
                "en": "Put an earlier release back, the last good one by default, at once and without a build.",
                "ko": "빌드 없이 즉시 이전 릴리스로 되돌립니다. 따로 정하지 않으면 마지막 정상 릴리스입니다.",
            },
            (_ENV, Parameter("release", "VERSION|SHA|last-good", _RELEASE, after="to"), _REASON),
            examples=("rollback", "rollback staging to 7", 'rollback production --reason "errors at checkout"'),
        ),
        CommandSpec(
            "promote",
            "write",
            {
                "en": "Put what serves in one environment into another: the same image, not a new build.",
                "ko": "한 환경에서 서비스 중인 것을 다른 환경으로 옮깁니다. 새로 빌드하지 않고 같은 이미지를 씁니다.",
            },
            (
                Parameter("source", "ENV", ENVIRONMENT, needed=True),
                Parameter("environment", "ENV", ENVIRONMENT, after="to", needed=True),
                _REASON,
            ),
            examples=("promote staging to production",),
        ),
        CommandSpec(
            "preview",
            "write",
            {
                "en": "Give the pull request an environment of its own for a while; extend it, or stop it.",
                "ko": "풀 리퀘스트에 한동안 쓸 자체 환경을 만듭니다. 연장하거나 멈출 수도 있습니다.",
            },
            (
                Parameter("pull", "#PULL", _PULL),
                Parameter("extend", "DURATION", DURATION, after="extend"),
                Parameter("stop", "", after="stop", takes=Takes.NOTHING, instead=True),
            ),
            examples=("preview", "preview extend 2d", "preview stop"),
        ),
        CommandSpec(
            "status",
            "read",
            {
                "en": "Show what runs where, and what is under way.",
                "ko": "어디에 무엇이 배포되어 있고 무엇이 진행 중인지 보여 줍니다.",
            },
            (_ENV_BUT_NO_JOB, _JOB_INSTEAD),
            examples=("status", "status production"),
        ),
        CommandSpec(
            "why",
            "read",
            {
                "en": "Say why JOB, or the last thing that happened here, went as it did, and what to do next.",
                "ko": "JOB(또는 여기서 마지막으로 일어난 일)이 왜 그렇게 되었고 다음에 무엇을 할지 알려 줍니다.",
            },
            (_JOB_ID,),
        ),
        CommandSpec(
            "logs",
            "read",
            {
                "en": "Show the end of the newest job's log here, or of JOB's, or what one of the six stages wrote.",
                "ko": "여기서 가장 최근 작업(또는 JOB)의 로그 끝부분이나 여섯 단계 중 하나의 기록을 보여 줍니다.",
            },
            (_JOB_ID, Parameter("stage", "N", _STAGE, after="--stage")),
            examples=("logs", "logs --stage 1"),
        ),
        CommandSpec(
            "retry",
            "write",
            {
                "en": "Do the newest job here, or JOB, again: the same commit, the settings that are in force now.",
                "ko": "여기서 가장 최근 작업(또는 JOB)을 같은 커밋과 현재 설정으로 다시 실행합니다.",
            },
            (_JOB_ID,),
        ),
        CommandSpec(
            "stats",
            "read",
            {
                "en": "Show how often, how soon and how well is delivered: the four DORA figures.",
                "ko": "얼마나 자주, 빨리, 안전하게 배포하는지 보여 줍니다(DORA 네 지표).",
            },
            (_ENV,),
            examples=("stats production",),
        ),
        CommandSpec(
            "approve",
            "write",
            {
                "en": "Let somebody else's job that waits for approval run; of a fork's pull request, trust its head.",
                "ko": "승인을 기다리는 다른 사람의 작업을 승인합니다. 포크의 풀 리퀘스트에서는 최신 커밋을 신뢰합니다.",
            },
            (_JOB_ID,),
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
            "inspect",
            "read",
            {
                "en": "Say what the pull request's head, or REF, is and how it would be built, and why.",
                "ko": "풀 리퀘스트의 최신 커밋(또는 REF)이 무엇이고 어떻게 빌드될지, 그 이유와 함께 알려 줍니다.",
            },
            (Parameter("ref", "REF", REF),),
            examples=("inspect", "inspect main"),
        ),
        CommandSpec(
            "analyze",
            "read",
            {
                "en": "Say who wrote what: at the pull request's head, the default branch, or REF.",
                "ko": "누가 무엇을 작성했는지 알려 줍니다(풀 리퀘스트의 최신 커밋, 기본 브랜치 또는 REF).",
            },
            (
                Parameter("ref", "REF", _NOBODY),
                Parameter("authors", "@USER…", _SOMEBODY, takes=Takes.WORDS),
                Parameter("since", "DATE", _DATE, after="--since"),
                Parameter("until", "DATE", _DATE, after="--until"),
            ),
            examples=("analyze", "analyze main @alice --since 2026-01-01"),
        ),
        CommandSpec(
            "lock",
            "write",
            {
                "en": "Nobody else deploys to the environment, or to any, until you unlock it or the time is over.",
                "ko": "해제하거나 시간이 지날 때까지 그 환경(또는 모든 환경)에 다른 사람이 배포하지 못하게 합니다.",
            },
            (_ENV, _ALL, _REASON, Parameter("for", "DURATION", DURATION, after="--for")),
            examples=('lock production --for 2h --reason "the migration"', "lock --all"),
        ),
        CommandSpec(
            "unlock",
            "write",
            {
                "en": "End your lock, or another's with a reason; they are told.",
                "ko": "잠금을 해제합니다. 다른 사람의 잠금은 이유를 적어야 하며, 그 사람에게 알립니다.",
            },
            (_ENV, _ALL, _REASON),
            examples=("unlock production", 'unlock production --reason "alice is on holiday"'),
        ),
        CommandSpec(
            "locks",
            "read",
            {
                "en": "Show what is locked, by whom, until when and why.",
                "ko": "무엇이 누구에 의해 언제까지 왜 잠겨 있는지 보여 줍니다.",
            },
        ),
        CommandSpec(
            "queue",
            "read",
            {
                "en": "Show who waits for which environment, at which place, and how long it will be.",
                "ko": "누가 어느 환경을 몇 번째로 기다리는지, 얼마나 걸릴지 보여 줍니다.",
            },
            (_ENV,),
            examples=("queue production",),
        ),
        CommandSpec(
            "link",
            "none",
            {
                "en": "Say how to tie your GitHub account to Slack.",
                "ko": "GitHub 계정을 Slack과 연결하는 방법을 알려 줍니다.",
            },
        ),
        CommandSpec(
            "whoami",
            "none",
            {
                "en": "Show who you are here, and what you may say.",
                "ko": "여기서 누구이고 무엇을 할 수 있는지 보여 줍니다.",
            },
        ),
        CommandSpec(
            "help",
            "none",
            {"en": "Show these commands.", "ko": "명령 목록을 보여 줍니다."},
            (Parameter("command", "COMMAND", re.compile(r"\A/?[a-z][a-z-]{0,19}\Z")),),
            examples=("help deploy",),
        ),
    )
}


def read_comment(body: str) -> Said:
    """The commands a comment holds. Code, quotes and HTML comments do not count; words of other bots are left alone."""
    commands: list[Command] = []
    mistakes: list[UserMistake] = []
    strange: set[str] = set()
    for line in spoken_lines(body):
        words = line.split(maxsplit=MOST_WORDS + 2)
        name = _command_word(words)
        if name is None or _is_one_too_many(name, strange):
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


def _is_one_too_many(name: str, strange: set[str]) -> bool:
    """Whether it is a word nobody knows after many others of that kind, which `strange` collects."""
    if name in COMMANDS or name in strange:
        return False
    strange.add(name)
    return len(strange) > MOST_STRANGE


def read_command(name: str, words: list[str], raw: str) -> Command | None:
    """One command of its words. None for a word that is no command and not like one. Raises UserMistake."""
    spec = COMMANDS.get(name)
    if spec is None:
        near = _near(name)
        if near is not None:
            raise UserMistake("unknown_command", command=name, did_you_mean=near)
        return None
    return read_arguments(spec, words, raw)


def command_meant(name: str) -> str | None:
    """The command of this name, else the one it is most like; None for a word that is like none."""
    return name if name in COMMANDS else _near(name)


@lru_cache(maxsize=256)
def _near(name: str) -> str | None:
    """The command a mistyped word is most like; None for one that is like none."""
    return next(iter(difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.7)), None)


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
