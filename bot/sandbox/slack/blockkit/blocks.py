"""Decides whether blocks, attachments and views are ones Slack would accept, in the words Slack refuses them with."""

import functools
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from jsonschema import Draft7Validator, ValidationError, validators

from bot.sandbox.slack.blockkit import limits
from bot.sandbox.slack.blockkit.rules import broken_rules

Json = dict[str, Any]
BIGGEST_FIRST = 20
"""How many findings are reported at once; Slack, too, stops somewhere."""


def message_findings(blocks: list[Any]) -> list[str]:
    """What is wrong with a message's blocks, one line each with a JSON pointer; empty when they would be accepted."""
    if len(blocks) > limits.MESSAGE_BLOCKS:
        return [finding(f"no more than {limits.MESSAGE_BLOCKS} items allowed", "/blocks")]
    return _findings(blocks, {"type": "array", "items": {"$ref": "#/definitions/KnownBlock"}}, "/blocks")


def attachment_findings(attachments: list[Any]) -> list[str]:
    """What is wrong with a message's legacy attachments, blocks inside them included."""
    schema = {"type": "array", "items": {"$ref": "#/definitions/MessageAttachment"}}
    return _findings(attachments, schema, "/attachments")


def view_findings(view: Json, kind: str) -> list[str]:
    """What is wrong with a view where one of `kind` (`modal` or `home`) is wanted."""
    if view.get("type") != kind:
        return [finding(f"unsupported type: {view.get('type')}", "/view/type")]
    return _findings(view, {"$ref": "#/definitions/View"}, "/view")


def option_findings(answer: Json) -> list[str]:
    """What is wrong with the options a server answers to a menu that asks for them."""
    named = [name for name in ("options", "option_groups") if name in answer]
    if len(named) != 1:
        return [finding("exactly one of options, option_groups is needed", "/")]
    options = {"type": "array", "items": {"$ref": "#/definitions/PlainTextOption"}, "maxItems": 100}
    if named == ["options"]:
        return _findings(answer["options"], options, "/options")
    groups = {"type": "array", "maxItems": 100, "items": {"type": "object", "properties": {"options": options}}}
    return _findings(answer["option_groups"], groups, "/option_groups")


def characters(blocks: Any) -> int:
    """The characters of all texts in some blocks, the measure of `msg_blocks_too_long`."""
    if isinstance(blocks, dict):
        own = len(blocks["text"]) if isinstance(blocks.get("text"), str) else 0
        return own + sum(characters(value) for value in blocks.values())
    return sum(characters(item) for item in blocks) if isinstance(blocks, list) else 0


def finding(words: str, pointer: str) -> str:
    """One line as Slack writes it: `must be a string [json-pointer:/blocks/0/text]`."""
    return f"{words} [json-pointer:{pointer}]"


def _findings(value: Any, schema: Json, root: str) -> list[str]:
    """First what the schema says; the rules it can't express are asked of what has the right form."""
    validator = _validator_class()({**schema, "definitions": _definitions()})
    lines = [finding(_words(error), root + _pointer(error)) for error in validator.iter_errors(value)]
    if not lines:
        lines = [finding(words, root + pointer) for words, pointer in broken_rules(value)]
    return list(dict.fromkeys(lines))[:BIGGEST_FIRST]


def _pointer(error: ValidationError) -> str:
    return "".join(f"/{step}" for step in error.absolute_path)


def _words(error: ValidationError) -> str:
    """The finding without its place."""
    bound: Any = error.validator_value
    match error.validator:
        case "required":
            missing = error.message.split("'")[1]
            return f"missing required field: {missing}"
        case "additionalProperties":
            return f"invalid additional property: {', '.join(_unknown(error))}"
        case "maxLength":
            return f"must be less than {bound + 1} characters"
        case "minLength":
            return f"must be more than {bound - 1} characters"
        case "maxItems":
            return f"no more than {bound} items allowed"
        case "minItems":
            return f"no fewer than {bound} items allowed"
        case "type":
            return f"must provide {'an' if bound[0] in 'aeiou' else 'a'} {bound}"
        case "pattern":
            return "must be a valid url"
        case "anyOf":
            return error.message
    return f"failed to match all allowed schemas: {error.message[:200]}"


def _unknown(error: ValidationError) -> list[str]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    return sorted(name for name in instance if name not in known)


@functools.cache
def _definitions() -> dict[str, Json]:
    """Slack's published types with the documented limits on them, read once."""
    text = resources.files("bot.sandbox.slack.blockkit").joinpath("blockkit.json").read_text()
    definitions: dict[str, Json] = json.loads(text)["definitions"]
    limits.lay_over(definitions)
    return definitions


@functools.cache
def _validator_class() -> Any:
    """JSON schema in which a union is told apart by `type`, so that a finding speaks of the kind that was meant."""
    return validators.extend(Draft7Validator, {"anyOf": _union})  # type: ignore[no-untyped-call]


def _union(validator: Any, branches: list[Json], instance: Any, _schema: Json) -> Iterator[ValidationError]:
    """Check against the alternative that was meant: by its `type`, else the one with the fewest findings."""
    if not isinstance(instance, dict):
        yield from _closest(validator, branches, instance)
        return
    if "type" not in instance and any(kinds for _, kinds in _alternatives(branches)):
        yield ValidationError("missing required field: type", validator="anyOf")
        return
    meant = [shape for shape, kind in _alternatives(branches) if kind in (None, instance.get("type"))]
    if meant:
        yield from _closest(validator, meant, instance)
    else:
        yield ValidationError(f"unsupported type: {instance['type']}", validator="anyOf", path=["type"])


def _closest(validator: Any, shapes: list[Json], instance: Any) -> list[ValidationError]:
    found = (list(validator.descend(instance, shape)) for shape in shapes)
    return min(found, key=len)


def _alternatives(branches: list[Json]) -> Iterator[tuple[Json, str | None]]:
    """Every object shape a union comes down to, with the constant of its `type` (None when it has none)."""
    for branch in branches:
        shape = _definitions()[branch["$ref"].rpartition("/")[2]] if "$ref" in branch else branch
        if "anyOf" in shape:
            yield from _alternatives(shape["anyOf"])
        else:
            yield branch, shape.get("properties", {}).get("type", {}).get("const")
