"""Checks data against a JSON Schema and says the first fault in words, at the place where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.repo_config.placed_yaml import DataPath, Misplaced, Place, Places

if TYPE_CHECKING:
    import jsonschema


def check(data: Any, places: Places, validator: jsonschema.Draft202012Validator) -> None:
    """Raises Misplaced for the fault that stands first."""
    errors = sorted(validator.iter_errors(data), key=lambda error: _place(_leaf(error), places))
    if errors:
        leaf = _leaf(errors[0])
        where = ".".join(str(part) for part in leaf.absolute_path)
        raise Misplaced(_place(leaf, places), f"{where + ': ' if where else ''}{_said(leaf)}")


def _leaf(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """The fault inside a `oneOf` that says most."""
    from jsonschema.exceptions import best_match, relevance

    return best_match([error], key=relevance) or error


def _place(error: jsonschema.ValidationError, places: Places) -> Place:
    path: DataPath = tuple(error.absolute_path)
    unknown = _unknown_key(error)
    if unknown is not None and (*path, unknown) in places:
        return places[(*path, unknown)]
    return places.nearest(path)


def _unknown_key(error: jsonschema.ValidationError) -> str | None:
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        return next((key for key in error.instance if key not in _known(error)), None)
    if error.validator in {"pattern", "maxLength"} and error.parent is None and isinstance(error.instance, str):
        return error.instance
    return None


def _known(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = error.schema["properties"] if isinstance(error.schema, Mapping) else {}
    return properties


def _said(error: jsonschema.ValidationError) -> str:
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(_known(error)))
        return f"unknown key {_unknown_key(error)!r}; known here: {known}"
    if error.validator == "pattern":
        return f"{str(error.instance)[:80]!r} is not of the form {error.validator_value}"
    return error.message[:300]
