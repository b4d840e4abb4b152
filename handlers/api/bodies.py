"""Reads a request's JSON against its schema, and tells each field's fault without repeating what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from bot.errors import Unreadable, UserMistake

MOST_BYTES = 256 * 1024
MOST_FAULTS = 20
MOST_NAME = 80
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


async def read_body(request: web.Request, schema: Schema, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The request's JSON object, checked.

    Raises Unreadable("body_not_json", "body_unreadable" or "body_too_large"), and UserMistake("invalid_body", fields)
    with one `{field, rule, …}` for each fault.
    """
    if request.content_type not in {"application/json", "application/octet-stream"}:
        raise Unreadable("body_not_json", given=request.content_type[:MOST_NAME])
    return checked(_parsed(await _raw(request, most_bytes)), schema)


def checked(given: Any, schema: Schema, code: str = "invalid_body") -> dict[str, Any]:
    """`given` when it satisfies the schema, which is of an object. Raises UserMistake(code, fields)."""
    import jsonschema  # at the first request: it costs a start more than most else

    errors = jsonschema.Draft202012Validator(schema).iter_errors(given)
    faults = {(fault["field"], fault["rule"]): fault for error in errors for fault in _faults(error)}
    if faults:
        raise UserMistake(code, fields=[faults[place] for place in sorted(faults)][:MOST_FAULTS])
    found: dict[str, Any] = given
    return found


async def _raw(request: web.Request, most_bytes: int) -> bytes:
    """The bytes; too many are refused as soon as they are."""
    chunks, size = [], 0
    while size <= most_bytes and (chunk := await request.content.readany()):
        chunks.append(chunk)
        size += len(chunk)
    if size > most_bytes:
        raise Unreadable("body_too_large", limit=most_bytes)
    return b"".join(chunks)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except ValueError as error:
        raise Unreadable("body_unreadable") from error


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
