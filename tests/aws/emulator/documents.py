"""Decides as IAM does whether policies allow one action on one resource: what nothing allows is denied.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Statement = Mapping[str, Any]


def allowed(statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """`context` has the condition keys of the request, by their names in small letters.

    Raises KeyError for an operator of conditions that no policy of ours uses.
    """
    effects = {one["Effect"] for one in statements if _is_about(one, action, resource, context)}
    return effects == {"Allow"}


def _is_about(statement: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        any(_matches(known.lower(), action.lower()) for known in _several(statement["Action"]))
        and any(_matches(known, resource) for known in _several(statement["Resource"]))
        and all(
            _OPERATORS[operator](context.get(key.lower()), _several(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _matches(pattern: str, text: str) -> bool:
    """`*` and `?` are the only wildcards there are."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _equals(value: str | None, wanted: list[str]) -> bool:
    return value in wanted


def _is_like(value: str | None, wanted: list[str]) -> bool:
    return value is not None and any(_matches(pattern, value) for pattern in wanted)


_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": _equals,
    "ArnEquals": _is_like,
}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
