"""Reads each file of a tree once, parses it once, and turns what is broken into warnings."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from bot.inspect import parsing
from bot.inspect.model import Notice
from bot.inspect.paths import PathIndex
from bot.inspect.tree import Tree

SEARCHED_CHARS = 256_000
SEARCHED_LINE_CHARS = 2_000
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(raw: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 where it begins with its mark, as PowerShell writes; lines end in `\\n`."""
    encoding = "utf-16" if raw.startswith(_WIDE_MARKS) else "utf-8-sig"
    return raw.decode(encoding, "replace").replace("\r\n", "\n")


def _searchable(text: str) -> str:
    if len(text) <= SEARCHED_LINE_CHARS:
        return text
    return "\n".join(line[:SEARCHED_LINE_CHARS] for line in text[:SEARCHED_CHARS].split("\n"))


class Reader:
    """One inspection's view of a tree: text and parsed manifests by path, never raising."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.index = PathIndex(tree.paths())
        self.notices: list[Notice] = []
        self._whole: dict[str, str | None] = {}
        self._texts: dict[str, str | None] = {}
        self._parsed: dict[tuple[str, str], Any] = {}

    def text(self, path: str) -> str | None:
        """A file's text for searching, undecodable bytes replaced; None when the tree will not give it.

        Very long lines and files are cut, so that no pattern takes long on a text made to make it so.
        """
        if path not in self._texts:
            whole = self._whole_text(path)
            self._texts[path] = None if whole is None else _searchable(whole)
        return self._texts[path]

    def _whole_text(self, path: str) -> str | None:
        if path not in self._whole:
            raw = self._tree.read(path) if path in self.index else None
            self._whole[path] = None if raw is None else decoded(raw)
        return self._whole[path]

    def json(self, path: str) -> dict[str, Any]:
        """A JSON object, `{}` when missing, broken or not an object."""
        return self._mapping("json", path, parsing.parse_json)

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML document, `{}` when missing or broken."""
        return self._mapping("toml", path, parsing.parse_toml)

    def yaml(self, path: str) -> dict[str, Any]:
        """A YAML mapping, `{}` when missing, broken or not a mapping."""
        return self._mapping("yaml", path, parsing.parse_yaml)

    def xml(self, path: str) -> Element | None:
        """An XML document's root, None when missing or broken."""
        root = self._parse("xml", path, parsing.parse_xml)
        return root if isinstance(root, Element) else None

    def notice(self, code: str, text: str, path: str | None = None, line: int | None = None) -> None:
        """Remember a warning, once."""
        notice = Notice(code, text, path, line)
        if notice not in self.notices:
            self.notices.append(notice)

    def _mapping(self, kind: str, path: str, parse: Callable[[str], Any]) -> dict[str, Any]:
        value = self._parse(kind, path, parse)
        if value is not None and not isinstance(value, dict):
            self.notice("broken_manifest", "holds something else than keys and values", path, 1)
        return value if isinstance(value, dict) else {}

    def _parse(self, kind: str, path: str, parse: Callable[[str], Any]) -> Any:
        if (kind, path) not in self._parsed:
            self._parsed[kind, path] = self._parse_now(path, parse)
        return self._parsed[kind, path]

    def _parse_now(self, path: str, parse: Callable[[str], Any]) -> Any:
        text = self._whole_text(path)
        if text is None or not text.strip():
            return None
        try:
            return parse(text)
        except parsing.Broken as broken:
            self.notice("broken_manifest", broken.reason, path, broken.line)
            return None
