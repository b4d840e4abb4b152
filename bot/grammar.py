"""What a row of the command table is, and how the words after a command are read by it."""

from __future__ import annotations

import difflib
import enum
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bot.errors import UserMistake

MOST_WORDS = 200
MOST_PAIRS = 20
SHOWN_CHARACTERS = 100
MOST_RAW_CHARACTERS = 1000
SET = "yes"
"""The value of a flag that was given."""

ENVIRONMENT = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
REF = re.compile(r"\A(?!-)(?!.*\.\.)(?!.*@\{)(?!/)[^\s\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![./])\Z")
JOB = re.compile(r"\A[a-z]{3}_[a-z0-9]{10}\Z")
TEXT = re.compile(r"\A.{1,300}\Z")
DURATION = re.compile(r"\A(?:\d{1,4}[smhdw]){1,5}\Z")
_PAIR = re.compile(r"""([A-Za-z_][A-Za-z0-9_]{0,127})=("[^"]*"|'[^']*'|\S*)(?:\s+|\Z)""")
_QUOTES = {'"': '"', "'": "'", "“": "”"}


class Takes(enum.Enum):
    """What stands after a parameter's keyword, or in its place."""

    WORD = "one word"
    WORDS = "all the words that follow and fit"
    TEXT = "all the words up to the next option, quoted or not"
    NOTHING = "nothing: it is there or not"
    PAIRS = "KEY=VALUE, to the end of the line"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a command can be told. `after` is the word or option it follows: `to ENV`, `--reason TEXT`."""

    name: str
    shown: str = ""
    pattern: re.Pattern[str] = TEXT
    after: str | None = None
    takes: Takes = Takes.WORD
    needed: bool = False
    instead: bool = False
    """Whether it may stand in place of the parameter before it: `[ENV|JOB]`."""

    @property
    def said(self) -> str:
        """Without the brackets: `to ENV`."""
        return " ".join(part for part in (self.after, self.shown) if part)


@dataclass(frozen=True)
class CommandSpec:
    """One row of the table. `needs` is the least role on the repository: `none`, `read`, `write`, …"""

    name: str
    needs: str
    help: Mapping[str, str]
    """By language: `en`, `ko`."""
    parameters: tuple[Parameter, ...] = ()
    examples: tuple[str, ...] = ()
    """What people say most, without the slash; shown where somebody asks how the command is said."""

    @property
    def usage(self) -> str:
        """As people write it: `/deploy [REF] [to ENV]`."""
        return " ".join((f"/{self.name}", *self.words()))

    @property
    def usage_in_a_table(self) -> str:
        """The usage for a cell of a table in Markdown, where a bar would end the cell."""
        return self.usage.replace("|", "\\|")

    def words(self) -> Iterator[str]:
        """What may follow the name, as the usage shows it."""
        for group in self.groups:
            said = "|".join(parameter.said for parameter in group)
            yield said if group[0].needed else f"[{said}]"

    @cached_property
    def groups(self) -> list[list[Parameter]]:
        """The parameters, those that stand in place of one another together."""
        groups: list[list[Parameter]] = []
        for parameter in self.parameters:
            if parameter.instead and groups:
                groups[-1].append(parameter)
            else:
                groups.append([parameter])
        return groups

    @cached_property
    def keyed(self) -> Mapping[str, Parameter]:
        """The parameters that a word announces, by that word."""
        return {parameter.after: parameter for parameter in self.parameters if parameter.after}

    @cached_property
    def placed(self) -> Sequence[Sequence[Parameter]]:
        """The parameters that are known by their place, in order."""
        groups = ([p for p in group if p.after is None] for group in self.groups)
        return [group for group in groups if group]


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was understood. `raw` is the line it was said in; `pairs` what stood after `--`."""

    name: str
    raw: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """An argument, None where it was left out."""
        return self.arguments.get(name)

    def has(self, flag: str) -> bool:
        """Whether a flag was given."""
        return self.arguments.get(flag) == SET


def read_arguments(spec: CommandSpec, words: Sequence[str], raw: str) -> Command:
    """The command of the words after its name. Raises UserMistake, with the usage, for what does not fit."""
    if len(words) > MOST_WORDS:
        raise mistake(spec, "unexpected_word", given=words[MOST_WORDS][:SHOWN_CHARACTERS])
    reading = _Reading(spec, words)
    reading.read()
    return Command(spec.name, raw[:MOST_RAW_CHARACTERS], reading.found, reading.pairs)


def mistake(spec: CommandSpec, code: str, **facts: str) -> UserMistake:
    """What is wrong with how a command was said."""
    return UserMistake(code, command=spec.name, usage=spec.usage, **facts)


class _Reading:
    """The words of one command, taken one after another."""

    def __init__(self, spec: CommandSpec, words: Sequence[str]) -> None:
        self._spec = spec
        self._rest = deque(_plain_dashes(words))
        self._places = deque(spec.placed)
        self.found: dict[str, str] = {}
        self.pairs: dict[str, str] = {}

    def read(self) -> None:
        while self._rest:
            self._next(self._rest.popleft())
        for first, *others in self._spec.groups:
            if first.needed and not any(one.name in self.found for one in (first, *others)):
                raise mistake(self._spec, "missing_argument", argument=first.said)

    def _next(self, word: str) -> None:
        option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        keyed = self._spec.keyed.get(option)
        if keyed is None:
            return self._place(word)
        if equals and keyed.takes is Takes.NOTHING:
            raise mistake(self._spec, "unexpected_word", given=word[:SHOWN_CHARACTERS])
        if equals:
            self._rest.appendleft(value)
        if keyed.name in self.found:
            raise mistake(self._spec, "said_twice", argument=option)
        return self._take(keyed)

    def _take(self, parameter: Parameter) -> None:
        match parameter.takes:
            case Takes.NOTHING:
                self.found[parameter.name] = SET
            case Takes.PAIRS:
                self._read_pairs(parameter)
            case Takes.TEXT:
                self._keep(parameter, _unquoted(" ".join(self._up_to_next_option())))
            case _:
                self._keep(parameter, self._rest.popleft() if self._rest else "")

    def _place(self, word: str) -> None:
        """A word known by its place; what fits no parameter of that place is told as the first one's fault."""
        if word.startswith("--"):
            raise self._unknown_option(word[:SHOWN_CHARACTERS])
        if not self._places:
            raise mistake(self._spec, "unexpected_word", given=word[:SHOWN_CHARACTERS])
        group = self._group_for(word)
        fitting = next((p for p in group if p.pattern.match(word)), group[0])
        self._keep(fitting, word)
        if fitting.takes is Takes.WORDS:
            self._more(fitting)

    def _unknown_option(self, given: str) -> UserMistake:
        near = difflib.get_close_matches(given.partition("=")[0], self._options(), n=1)
        if near:
            return mistake(self._spec, "unknown_option", given=given, did_you_mean=near[0])
        return mistake(self._spec, "unexpected_word", given=given)

    def _group_for(self, word: str) -> Sequence[Parameter]:
        """The next place; places the word does not fit are left out for a later one that it fits."""
        fits = [any(p.pattern.match(word) for p in group) for group in self._places]
        for _ in range(fits.index(True) if any(fits) else 0):
            self._places.popleft()
        return self._places.popleft()

    def _more(self, parameter: Parameter) -> None:
        while self._rest and self._rest[0] not in self._spec.keyed and parameter.pattern.match(self._rest[0]):
            self.found[parameter.name] += f" {self._rest.popleft()}"

    def _keep(self, parameter: Parameter, value: str) -> None:
        if not value:
            raise mistake(self._spec, "missing_argument", argument=parameter.said)
        if not parameter.pattern.match(value):
            shown = parameter.shown or parameter.said
            code = "bad_length" if parameter.pattern is DURATION else "bad_argument"
            raise mistake(self._spec, code, argument=shown, given=value[:SHOWN_CHARACTERS])
        self.found[parameter.name] = value

    def _up_to_next_option(self) -> Iterator[str]:
        options = self._options()
        while self._rest and self._rest[0].partition("=")[0] not in options:
            yield self._rest.popleft()

    def _options(self) -> list[str]:
        return [word for word in self._spec.keyed if word.startswith("--")]

    def _read_pairs(self, parameter: Parameter) -> None:
        text = " ".join(self._rest)
        self._rest.clear()
        while text:
            pair = _PAIR.match(text)
            if pair is None or len(self.pairs) == MOST_PAIRS:
                given = text.split()[0][:SHOWN_CHARACTERS]
                raise mistake(self._spec, "bad_argument", argument=parameter.shown, given=given)
            self.pairs[pair[1]] = _unquoted(pair[2])
            text = text[pair.end() :]
        if not self.pairs:
            raise mistake(self._spec, "missing_argument", argument=parameter.said)


def _plain_dashes(words: Sequence[str]) -> Iterator[str]:
    """Telephones and chat programs write one long dash where somebody typed two."""
    for word in words:
        yield "--" + word[1:] if word[:1] in {"—", "–"} else word


def _unquoted(text: str) -> str:
    closing = _QUOTES.get(text[:1])
    return text[1:-1] if closing and len(text) > 1 and text[-1] == closing else text
