"""Turns the JSON of a control request into a call of a simulator's method, or into one sentence about what is wrong."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.sandbox.github.faults import Impossible

Json = dict[str, Any]
WORDS = {str: "text", int: "a number", bool: "true or false", float: "a number", list: "a list", dict: "an object"}


def ask(method: Callable[..., Any], given: Json) -> Any:
    """Call a method with what was given by name. Raises Impossible for missing, unknown and ill-typed values."""
    parameters = inspect.signature(method).parameters
    hints = typing.get_type_hints(method)
    if unknown := sorted(given.keys() - parameters.keys()):
        raise Impossible(f"{_quoted(unknown)} is not known here; what is: {', '.join(parameters)}")
    needed = [name for name, one in parameters.items() if one.default is inspect.Parameter.empty]
    if missing := [name for name in needed if name not in given]:
        raise Impossible(f"{_quoted(missing)} must be given")
    return method(**{name: _fitted(name, value, hints[name]) for name, value in given.items()})


def _fitted(name: str, value: Any, hint: Any) -> Any:
    """The value as the method takes it. Raises Impossible."""
    kinds = [_plain(one) for one in (typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,))]
    if Path in kinds and isinstance(value, str):
        return Path(value)
    if any(isinstance(value, kind) and (kind is not int or not isinstance(value, bool)) for kind in kinds):
        return value
    if float in kinds and type(value) is int:
        return float(value)
    wanted = " or ".join(WORDS.get(kind, "a path" if kind is Path else "null") for kind in kinds)
    raise Impossible(f"{name!r} must be {wanted}")


def _plain(kind: Any) -> type:
    """The class behind an annotation: `list[str]` is a list, `Mapping[...]` a dict."""
    origin = typing.get_origin(kind) or kind
    if origin is Any:
        return object
    return dict if origin is Mapping else origin if isinstance(origin, type) else object


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(one) for one in names)
