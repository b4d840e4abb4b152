"""Reads fields of what Slack sends: each has its form, or is left out, or makes the whole request unreadable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from bot.errors import Unreadable

ID = re.compile(r"\A[A-Z0-9]{2,40}\Z")
EVENT_ID = re.compile(r"\A[A-Za-z0-9]{2,64}\Z")
TS = re.compile(r"\A\d{1,16}\.\d{1,9}\Z")
TRIGGER = re.compile(r"\A[A-Za-z0-9.]{3,200}\Z")


def known(fields: Mapping[str, Any], name: str, form: re.Pattern[str] = ID) -> str:
    """A field that must be there. Raises Unreadable("slack_body_unreadable")."""
    value = fields.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Unreadable("slack_body_unreadable", field=name)
    return value


def matching(value: object, form: re.Pattern[str]) -> str | None:
    """A text of that form, else None."""
    return value if isinstance(value, str) and form.fullmatch(value) else None


def address(value: object) -> str | None:
    """A web address, else None."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def within(data: Mapping[Any, Any], *names: str) -> Mapping[str, Any]:
    """The object at a path; empty when there is none."""
    for name in names:
        value = data.get(name)
        data = value if isinstance(value, dict) else {}
    return data


def first(value: object) -> Mapping[str, Any]:
    """The first object of a list; empty when there is none."""
    found = value[0] if isinstance(value, list) and value else None
    return found if isinstance(found, dict) else {}


def parsed(body: bytes) -> Mapping[str, Any]:
    """A JSON object. Raises Unreadable("slack_body_unreadable")."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("slack_body_unreadable") from error
    if not isinstance(data, dict):
        raise Unreadable("slack_body_unreadable")
    return data
