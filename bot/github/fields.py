"""Reads JSON objects field by field, and says which one is missing or is not what it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.errors import Unreadable
from bot.model import FULL_SHA, Repository

_LARGEST_ID = 2**63 - 1
_FULL_NAME = re.compile(r"\A[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+\Z")
_REF = re.compile(r"\A[^\x00-\x20\x7f~^:?*\[\\]{1,1024}\Z")
"""What git allows in a name, roughly; a name like an option is one. https://git-scm.com/docs/git-check-ref-format"""


class Fields:
    """One JSON object at `path` of a payload. Every reader raises Unreadable("field_unusable", field=…)."""

    def __init__(self, data: Any, path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise Unreadable("field_unusable", field=path or "(whole)", wanted="an object")
        self._data = data
        self._path = path

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._data.get(name) is not None

    def inside(self, name: str) -> Fields:
        """The object in a field."""
        return Fields(self._data.get(name), self._at(name))

    def inside_maybe(self, name: str) -> Fields | None:
        """The object in a field, None when it is missing or null."""
        return self.inside(name) if self.has(name) else None

    def every(self, name: str) -> list[Fields]:
        """The objects of a list; a missing one counts as empty."""
        items = self._data.get(name)
        if items is None:
            return []
        if not isinstance(items, list):
            raise self._unusable(name, "a list")
        return [Fields(item, f"{self._at(name)}[{index}]") for index, item in enumerate(items)]

    def text(self, name: str) -> str:
        """A string, which may be empty."""
        value = self._data.get(name)
        if not isinstance(value, str):
            raise self._unusable(name, "a string")
        return value

    def text_maybe(self, name: str) -> str | None:
        """A string, None when it is missing or null."""
        return self.text(name) if self.has(name) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of a list; a missing one counts as empty."""
        items = self._data.get(name) or []
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._unusable(name, "a list of strings")
        return tuple(items)

    def number(self, name: str) -> int:
        """A whole number that a database can hold, from 0."""
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_ID:
            raise self._unusable(name, "a whole number")
        return value

    def number_maybe(self, name: str) -> int | None:
        """A whole number, None when it is missing or null."""
        return self.number(name) if self.has(name) else None

    def flag(self, name: str) -> bool:
        """True or false; missing and null count as false."""
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._unusable(name, "true or false")
        return bool(value)

    def sha(self, name: str) -> str:
        """A full commit SHA; the one of zeros, which stands for none, is one too."""
        value = self.text(name)
        if not FULL_SHA.match(value):
            raise self._unusable(name, "a full SHA")
        return value

    def ref(self, name: str) -> str:
        """A name git could have for a branch or tag."""
        value = self.text(name)
        if not _REF.match(value):
            raise self._unusable(name, "a ref")
        return value

    def full_name(self, name: str) -> str:
        """A repository as `owner/name`."""
        value = self.text(name)
        if not _FULL_NAME.match(value) or {".", ".."} & set(value.split("/")):
            raise self._unusable(name, "owner/name")
        return value

    def moment(self, name: str) -> str:
        """A moment in ISO 8601, UTC; GitHub writes some as epoch seconds. Empty when it is missing or null."""
        value = self._data.get(name)
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**33:
            return datetime.fromtimestamp(value, UTC).isoformat()
        try:
            return datetime.fromisoformat(self.text(name)).astimezone(UTC).isoformat()
        except (ValueError, OverflowError) as error:
            raise self._unusable(name, "a moment") from error

    def repository(self) -> Repository:
        """This object as a repository."""
        return Repository(self.number("id"), self.full_name("full_name"))

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _unusable(self, name: str, wanted: str) -> Unreadable:
        return Unreadable("field_unusable", field=self._at(name), wanted=wanted)
