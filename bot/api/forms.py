"""Checks a request's JSON against its form and tells each field's fault; the forms that more than one door takes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bot.errors import Unreadable, UserMistake
from bot.grammar import ENVIRONMENT, REF

MOST_BYTES = 256 * 1024
MOST_FAULTS = 20
MOST_NAME = 80
MOST_NUMBER = 2**53 - 1
"""The largest that every reader of JSON takes for the same number.
https://www.rfc-editor.org/rfc/rfc8259#section-6
"""
_SIZES = {
    "minLength": "too_short",
    "maxLength": "too_long",
    "minimum": "too_small",
    "maximum": "too_large",
    "minItems": "too_short",
    "maxItems": "too_long",
}
_KINDS = {"type": "wrong_type", "enum": "not_one_of", "const": "not_one_of", "pattern": "wrong_form"}

Schema = Mapping[str, Any]

NAME = {"type": "string", "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$"}
"""Of an account or a repository at GitHub."""
REPO = {"type": "string", "pattern": r"^(?:[A-Za-z0-9][A-Za-z0-9-]{0,38}/)?(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$"}
BRANCH = {"type": "string", "maxLength": 255, "pattern": REF.pattern.replace(r"\A", "^").replace(r"\Z", "$")}
NAMED_ENVIRONMENT = {"type": "string", "pattern": ENVIRONMENT.pattern.replace(r"\A", "^").replace(r"\Z", "$")}
ASK: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["userId", "repo", "branch"],
    "properties": {
        "userId": {
            "type": ["string", "integer"],
            "pattern": r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$",
            "minimum": 1,
            "maximum": MOST_NUMBER,
        },
        "repo": REPO,
        "branch": BRANCH,
        "environment": NAMED_ENVIRONMENT,
    },
}
"""A deployment of a branch for a person."""


def require_json(content_type: str) -> None:
    """A media type without its parameters. Raises Unreadable("body_not_json")."""
    if content_type not in {"application/json", "application/octet-stream"}:
        raise Unreadable("body_not_json", given=content_type[:MOST_NAME])


def parsed(raw: bytes) -> Any:
    """The JSON value of a body. Raises Unreadable("body_unreadable")."""
    try:
        return orjson.loads(raw)
    except ValueError as error:
        raise Unreadable("body_unreadable") from error


def checked(given: Any, schema: Schema, code: str = "invalid_body") -> dict[str, Any]:
    """`given` when it satisfies the schema, which is of an object.

    Raises UserMistake(code, fields) with one `{field, rule, …}` for each fault, without repeating what was sent.
    """
    errors = _strict()(schema).iter_errors(given)
    faults = {(fault["field"], fault["rule"]): fault for error in errors for fault in _faults(error)}
    if faults:
        raise UserMistake(code, fields=[faults[place] for place in sorted(faults)][:MOST_FAULTS])
    found: dict[str, Any] = given
    return found


@functools.cache
def _strict() -> Any:
    """A validator for which 5.0 is no integer: it would not be one for us either."""
    import jsonschema  # at the first request: it costs a start more than most else

    usual = jsonschema.Draft202012Validator
    integers = usual.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return jsonschema.validators.extend(usual, type_checker=integers)  # type: ignore[no-untyped-call]


def _faults(error: Any) -> list[dict[str, Any]]:
    """One fault for each field an error of jsonschema is about."""
    place = [str(part)[:MOST_NAME] for part in error.absolute_path]
    rule, value = str(error.validator), error.validator_value
    if rule == "required":
        missing = [name for name in value if name not in error.instance]
        return [_fault([*place, name], "required") for name in missing]
    if rule == "additionalProperties":
        unknown = [str(name)[:MOST_NAME] for name in error.instance if name not in error.schema.get("properties", {})]
        return [_fault([*place, name], "unknown", known=_listed(error.schema["properties"])) for name in unknown]
    if rule in _SIZES:
        return [_fault(place, _SIZES[rule], most=value)]
    if rule in _KINDS:
        return [_fault(place, _KINDS[rule], wanted=_listed(value if isinstance(value, list) else [value]))]
    return [_fault(place, "wrong_form", wanted=rule)]


def _fault(place: Sequence[str], rule: str, **facts: Any) -> dict[str, Any]:
    return {"field": ".".join(place) or "body", "rule": rule, **facts}


def _listed(values: Any) -> str:
    return ", ".join(str(value) for value in values)
