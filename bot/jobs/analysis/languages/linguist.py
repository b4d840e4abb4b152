"""Says which language a file is in, and whether it is vendored or generated, by GitHub Linguist's data."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OTHER = "Other"
"""The language of a file that Linguist does not know."""

READ_BYTES = 16_384
"""How much of a file is looked at where its name leaves more than one language possible."""

BLANKS, LONGEST_WORD = 32, 512
"""The longest runs of blanks, and of anything else, that rules see: many begin with blanks or letters, and would try
each run from each of its places, for seconds where somebody made a file of nothing else."""

KEPT = 1 << 14
"""Answers about names and folders that are kept: a server sees those of all repositories it ever analyses."""

_LONG_BLANK = re.compile(rb"\s{%d,}" % (BLANKS + 1))
_LONG_WORD = re.compile(rb"(\S{%d})\S+" % LONGEST_WORD)
_CODE = frozenset({"programming", "markup"})
_DATA = Path(__file__).parent / "data" / "linguist.json"
_SHEBANG = re.compile(rb"\A#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*)?(?:\S*/)?([^\s/]+)")
_VERSION = re.compile(r"[\d.]+$")
_BASE_NAME_ONLY = re.compile(r"\((?:\?:)?\^\|\\?/\)(?P<rest>[^/]+)\Z")
_IDLE_START = re.compile(r"\A\((?:\.\*\?|\[\^\\s\]\*)\)")
_POPULAR = (
    *("C", "C#", "C++", "CSS", "Dart", "Elixir", "Erlang", "F#", "Go", "HTML", "INI", "JSON", "Java", "JavaScript"),
    *("Kotlin", "Lua", "MATLAB", "Markdown", "OCaml", "Objective-C", "PHP", "Perl", "Python", "R", "Ruby", "Rust"),
    *("SQL", "Scala", "Shell", "Swift", "Text", "TypeScript", "Visual Basic .NET", "XML", "YAML"),
)
"""Who gets an extension that several languages share when the content does not decide."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A language, the patterns of which each group must be found, and those that must not be."""

    language: str
    wanted: tuple[re.Pattern[bytes], ...]
    unwanted: re.Pattern[bytes] | None

    def holds(self, content: bytes) -> bool:
        """Whether the content fits."""
        if self.unwanted and self.unwanted.search(content):
            return False
        return all(pattern.search(content) for pattern in self.wanted)


def shortened(content: bytes) -> bytes:
    """The content with one kind of line end and long runs cut: lines stay lines, and their beginnings stay indented."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _LONG_WORD.sub(rb"\1", _LONG_BLANK.sub(_short_blank, lines))


def _short_blank(run: re.Match[bytes]) -> bytes:
    above, line_end, indent = run[0].rpartition(b"\n")
    return (line_end * (2 if b"\n" in above else 1)) + indent[-BLANKS:]


class PathRules:
    """Many path patterns as few quick questions: about the folder (asked once each), the base name, the whole path."""

    def __init__(self, patterns: Iterable[str]) -> None:
        folders, names, anywhere = [], [], []
        for pattern in patterns:
            plain = _IDLE_START.sub("", pattern)
            base = _BASE_NAME_ONLY.match(plain)
            if plain.endswith("/"):
                folders.append(plain)
            elif base:
                names.append(base["rest"])
            else:
                anywhere.append(plain)
        self._folders, self._names, self._anywhere = _any(folders), _any(names), _any(anywhere)
        self._in_folder = functools.lru_cache(KEPT)(lambda folder: bool(self._folders.search(folder)))

    def match(self, path: str) -> bool:
        """Whether any pattern fits."""
        folder, slash, name = path.rpartition("/")
        return bool(self._in_folder(folder + slash) or self._names.match(name) or self._anywhere.search(path))


class Linguist:
    """Linguist's data, ready to be asked; one is enough for a process (`linguist()`)."""

    def __init__(self, data: dict[str, Any]) -> None:
        languages: dict[str, dict[str, Any]] = data["languages"]
        self.vendored = PathRules(data["vendored"])
        self.generated = PathRules(data["generated"])
        self._code = frozenset(name for name, entry in languages.items() if entry["type"] in _CODE)
        self._groups = {name: entry.get("group", name) for name, entry in languages.items()}
        self._by_name = _index(languages, "filenames")
        self._by_extension = _index(languages, "extensions", str.lower)
        self._by_interpreter = _index(languages, "interpreters")
        self._heuristics = {end: entry["rules"] for entry in data["heuristics"] for end in entry["extensions"]}
        self._rules = functools.cache(self._compile_rules)
        self._of_name = functools.lru_cache(KEPT)(self._first_of_name)

    def candidates(self, path: str) -> Sequence[str]:
        """The languages a path may be in, by its name alone, most likely first; empty when the name says nothing."""
        name = path.rpartition("/")[2]
        exact = self._by_name.get(name)
        return exact or self._by_extension.get(self._extension(name), ())

    def of_path(self, path: str) -> str:
        """The language of a file nobody looks into: the most likely one by its name."""
        return self._of_name(path.rpartition("/")[2])

    def is_code(self, language: str) -> bool:
        """Whether a language is one people program or mark up in, and neither data nor prose."""
        return language in self._code

    def is_open(self, path: str) -> bool:
        """Whether the content has a say: several languages share the name, or it tells nothing and may have a `#!`."""
        found = self.candidates(path)
        return len(found) > 1 or (not found and "." not in path.rpartition("/")[2])

    def of_content(self, path: str, content: bytes) -> str:
        """The language of a file, by its name, interpreter line and content."""
        found = self.candidates(path)
        if not found:
            found = self._of_interpreter(content)
        if len(found) < 2:
            return self._group(found[0]) if found else OTHER
        seen = shortened(content)
        for rule in self._rules(self._extension(path.rpartition("/")[2])):
            if rule.language in found and rule.holds(seen):
                return self._group(rule.language)
        return self._group(found[0])

    def _first_of_name(self, name: str) -> str:
        found = self.candidates(name)
        return self._group(found[0]) if found else OTHER

    def _group(self, language: str) -> str:
        """Linguist counts dialects with their language (TSX with TypeScript)."""
        group: str = self._groups[language]
        return group

    def _extension(self, name: str) -> str:
        """The longest ending of a name that is a known extension, or ''."""
        parts = name.lower().split(".")
        endings = ("." + ".".join(parts[at:]) for at in range(1, len(parts)))
        return next((ending for ending in endings if ending in self._by_extension), "")

    def _of_interpreter(self, content: bytes) -> Sequence[str]:
        found = _SHEBANG.match(content)
        if not found:
            return ()
        name = found[1].decode("utf-8", "replace")
        return self._by_interpreter.get(name) or self._by_interpreter.get(_VERSION.sub("", name), ())

    def _compile_rules(self, extension: str) -> tuple[Rule, ...]:
        return tuple(_rule(entry) for entry in self._heuristics.get(extension, ()))


@functools.cache
def linguist() -> Linguist:
    """The data that comes with Shipmate, read once."""
    return Linguist(json.loads(_DATA.read_text("utf-8")))


def _rule(entry: dict[str, Any]) -> Rule:
    wanted = tuple(_any_in_content(patterns) for patterns in entry["all"])
    return Rule(entry["language"], wanted, _any_in_content(entry["none"]) if entry["none"] else None)


def _index(languages: dict[str, dict[str, Any]], key: str, fold: Any = lambda text: text) -> dict[str, tuple[str, ...]]:
    """Language names by what they claim under `key`, most likely first."""
    claims: dict[str, list[str]] = {}
    for name, entry in languages.items():
        for claim in dict.fromkeys(map(fold, entry.get(key, ()))):
            claims.setdefault(claim, []).append(name)
    return {
        claim: tuple(sorted(names, key=lambda name: _rank(languages[name], name, key, claim)))
        for claim, names in claims.items()
    }


def _rank(entry: dict[str, Any], name: str, key: str, claim: str) -> tuple[bool, bool, str]:
    """Well-known languages first, then those that name the claim first of all theirs, then by name."""
    return entry.get("group", name) not in _POPULAR, entry[key][0] != claim, name


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"\b\B")


def _any_in_content(patterns: Sequence[str]) -> re.Pattern[bytes]:
    """One pattern for any of several; a pattern's own flags at its start (`(?i)`) hold for it alone."""
    scoped = [re.sub(r"\A\(\?([a-z]+)\)(.*)\Z", r"(?\1:\2)", pattern, flags=re.S) for pattern in patterns]
    return re.compile("|".join(f"(?:{pattern})" for pattern in scoped).encode(), re.M)
