"""One candidate application's folder: its files by name, their parsed content, and where a text stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import Element

from bot.inspect.paths import join, parent
from bot.inspect.reader import Reader

MAX_TEXT_CHARS = 4_000


class Folder:
    """A folder of the tree, `""` being the root. Names are relative to the folder."""

    def __init__(self, reader: Reader, root: str, *, without: Iterable[str] = ()) -> None:
        self.reader = reader
        self.root = root
        self._without = tuple(f"{folder}/" for folder in without)

    def path(self, name: str) -> str:
        """A name of this folder as a path from the repository's root."""
        return join(self.root, name)

    def has(self, name: str) -> bool:
        """Whether the folder holds this very file."""
        return self.path(name) in self.reader.index

    def first(self, *names: str) -> str | None:
        """The first of these names that exists."""
        return next((name for name in names if self.has(name)), None)

    @cached_property
    def names(self) -> list[str]:
        """Every file below the folder, sorted, without those of applications nested in it."""
        skip = len(self.root) + 1 if self.root else 0
        below = self.reader.index.below(self.root)
        return (
            [path[skip:] for path in below if not path.startswith(self._without)]
            if self._without
            else [path[skip:] for path in below]
        )

    @cached_property
    def top(self) -> frozenset[str]:
        """The names of the files directly in the folder."""
        return frozenset(name for name in self.names if "/" not in name)

    @cached_property
    def _top_sorted(self) -> list[str]:
        return sorted(self.top)

    def any_shallow(self, pattern: str) -> bool:
        """Whether a name at most two folders deep matches a regular expression as a whole."""
        compiled = re.compile(pattern)
        return any(compiled.fullmatch(name) for name in self.names if name.count("/") <= 2)

    def first_match(self, pattern: str) -> str | None:
        """The first name directly in the folder that matches a regular expression as a whole."""
        compiled = re.compile(pattern)
        return next((name for name in self._top_sorted if compiled.fullmatch(name)), None)

    def match(self, pattern: str) -> list[str]:
        """Names that match a regular expression as a whole, shallow ones first."""
        compiled = re.compile(pattern)
        return sorted((n for n in self.names if compiled.fullmatch(n)), key=lambda n: (n.count("/"), n))

    def any(self, pattern: str) -> bool:
        """Whether any name matches a regular expression as a whole."""
        compiled = re.compile(pattern)
        return any(compiled.fullmatch(name) for name in self.names)

    def text(self, name: str) -> str | None:
        """A file's text, None when missing."""
        return self.reader.text(self.path(name))

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file's object, `{}` when missing or broken."""
        return self.reader.json(self.path(name))

    def toml(self, name: str) -> dict[str, Any]:
        """A TOML file's content, `{}` when missing or broken."""
        return self.reader.toml(self.path(name))

    def yaml(self, name: str) -> dict[str, Any]:
        """A YAML file's mapping, `{}` when missing or broken."""
        return self.reader.yaml(self.path(name))

    def xml(self, name: str) -> Element | None:
        """An XML file's root, None when missing or broken."""
        return self.reader.xml(self.path(name))

    def line(self, name: str, needle: str | re.Pattern[str]) -> int | None:
        """The first line of a file that holds `needle`, counted from 1."""
        return line_of(self.text(name), needle)

    def search(self, pattern: str, names: Iterable[str]) -> Iterator[tuple[str, re.Match[str]]]:
        """The first match of a regular expression in each of these files, where there is one."""
        compiled = re.compile(pattern, re.MULTILINE)
        for name in names:
            match = compiled.search(self.text(name) or "")
            if match:
                yield name, match

    def upwards(self) -> Iterator[Folder]:
        """This folder and every one above it, up to the root: where a monorepo keeps its lock and version files."""
        root = self.root
        yield self
        while root:
            root = parent(root)
            yield Folder(self.reader, root)


def line_of(text: str | None, needle: str | re.Pattern[str]) -> int | None:
    """The first line of `text` that holds `needle`, counted from 1; None when it is nowhere."""
    if not text:
        return None
    if isinstance(needle, re.Pattern):
        match = needle.search(text)
        place = match.start() if match else -1
    else:
        place = text.find(needle)
    return text.count("\n", 0, place) + 1 if place >= 0 else None


def as_map(value: object) -> dict[str, Any]:
    """`value` when it is a mapping with text keys, else `{}`: manifests hold anything."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """`value` when it is a list, else `[]`."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """`value` when it is text with something in it, else None; numbers become text.

    One longer than MAX_TEXT_CHARS, which no command, name or version is, counts as none: patterns are searched in it.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) and len(value) <= MAX_TEXT_CHARS else None
