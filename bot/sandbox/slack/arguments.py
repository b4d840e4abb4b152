"""Reads the arguments of a Web API call: which are known, which are needed, and whether each is of its type."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.refusals import SlackError

Json = dict[str, Any]
TRUTHS = {"true": True, "1": True, "false": False, "0": False}
TIMESTAMP = re.compile(r"\d{1,16}(\.\d{1,6})?")
COMMON = {"token", "team_id", "pretty", "_x_id"}
"""Accepted by every method."""


@dataclass(frozen=True)
class Argument:
    """One argument of a method. `kind` is `text`, `flag`, `int`, `ts` or `json`."""

    name: str
    kind: str = "text"
    required: bool = False


def signature(words: str) -> dict[str, Argument]:
    """Arguments from `channel! text blocks:json`: a bang for the required, a kind after a colon (`text` if none)."""
    read = {}
    for word in words.split():
        name, _, kind = word.rstrip("!").partition(":")
        read[name] = Argument(name, kind or "text", word.endswith("!"))
    return read


def read_arguments(known: dict[str, Argument], given: Json) -> Json:
    """The call's arguments as Python values; what was not given is absent.

    Raises SlackError `invalid_arguments` naming every missing, unknown or wrongly typed one. (Slack itself lets
    unknown arguments pass in silence; here they are refused, for they are always a mistake of the caller.)
    """
    unknown = [f"unknown argument: {name}" for name in given if name not in known and name not in COMMON]
    missing = [f"missing required field: {a.name}" for a in known.values() if a.required and _empty(given.get(a.name))]
    if unknown or missing:
        raise SlackError("invalid_arguments", *missing, *unknown)
    return {name: _value(known[name], given[name]) for name in given if name in known and given[name] is not None}


def _empty(value: Any) -> bool:
    return value is None or value == ""


def _value(argument: Argument, raw: Any) -> Any:
    """One argument in its type. Raises SlackError."""
    place = f"[json-pointer:/{argument.name}]"
    match argument.kind:
        case "json":
            return _json(argument, raw)
        case "flag" if isinstance(raw, bool) or str(raw).lower() in TRUTHS:
            return raw if isinstance(raw, bool) else TRUTHS[str(raw).lower()]
        case "int" if not isinstance(raw, bool) and re.fullmatch(r"\d{1,9}", str(raw)):
            return int(raw)
        case "ts" if isinstance(raw, str | int | float) and TIMESTAMP.fullmatch(str(raw)):
            return str(raw)
        case "text" if isinstance(raw, str):
            return raw
    wanted = {"flag": "a boolean", "int": "an integer", "ts": "a timestamp", "text": "a string"}[argument.kind]
    raise SlackError("invalid_arguments", f"must provide {wanted} {place}")


def _json(argument: Argument, raw: Any) -> Any:
    """A structure, itself or as JSON text. Raises SlackError: `invalid_blocks_format` for blocks."""
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        value = None
    expected = dict if argument.name in ("view", "metadata") else list
    if isinstance(value, expected):
        return value
    if argument.name == "blocks":
        raise SlackError("invalid_blocks_format")
    kind = "an object" if expected is dict else "an array"
    raise SlackError("invalid_arguments", f"must provide {kind} [json-pointer:/{argument.name}]")
