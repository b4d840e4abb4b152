"""Values as DynamoDB writes them: text, whole numbers, truth, lists and maps, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]


def to_item(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The attributes of an item; None is left out.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """
    return {name: to_value(value) for name, value in values.items() if value is not None}


def to_value(value: Any) -> dict[str, Any]:
    """One attribute. Raises TypeError for what is none of these kinds."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [to_value(one) for one in value]}
        case Mapping():
            return {"M": to_item(value)}
    raise TypeError(f"{type(value).__name__} is no value of an item")


def from_item(item: Item) -> dict[str, Any]:
    """The values of an item."""
    return {name: from_value(value) for name, value in item.items()}


def from_value(given: Mapping[str, Any]) -> Any:
    """One value; a kind that is not ours stays as DynamoDB wrote it."""
    ((kind, value),) = given.items()
    match kind:
        case "N":
            return int(value)
        case "L":
            return [from_value(one) for one in value]
        case "M":
            return from_item(value)
        case "NULL":
            return None
    return value
