"""Reads YAML as plain data and knows where each value stands; what is clever or too deep is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

DEEPEST = 20

DataPath = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""
Place = tuple[int, int]
"""Line and column, from 1."""
START: Place = (1, 1)


class Misplaced(Exception):
    """A fault in a file, with the place where it stands."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(problem)
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with data that was read; `path` leads to it from where the reader looked."""

    path: DataPath
    problem: str


class Written(float):
    """A number with a point that is said as it was written: `3.10` is a version far more often than it is 3.1."""

    text: str

    def __new__(cls, value: float, text: str) -> Written:
        made = super().__new__(cls, value)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


class Places(dict[DataPath, Place]):
    """Where each value stands; a mapping's value at its key."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[int] = set()
        """The nodes met so far: an alias meets one twice."""

    def nearest(self, path: DataPath) -> Place:
        """Where the value stands, or else the nearest that holds it."""
        while path not in self and path:
            path = path[:-1]
        return self.get(path, START)


def read_yaml(raw: bytes) -> tuple[Any, Places]:
    """The file's data and its places; None for an empty file. Raises Misplaced, the first fault only."""
    node = _compose(raw)
    places = Places()
    return (None if node is None else _plain(node, (), places, 0)), places


def _compose(raw: bytes) -> yaml.Node | None:
    try:
        return yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Misplaced((line, 1), "the file is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else START
        raise Misplaced(place, error.problem or "this is not YAML") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Misplaced(START, "this is not YAML that can be read") from error


def _plain(node: yaml.Node, path: DataPath, places: Places, depth: int) -> Any:
    """The node as plain data, noting where each value stands. Aliases and duplicate keys are refused."""
    place = _place(node)
    if depth > DEEPEST:
        raise Misplaced(place, f"nested deeper than {DEEPEST} levels")
    if id(node) in places.met:
        raise Misplaced(place, "anchors and aliases are not read here; write the value out")
    places.met.add(id(node))
    places[path] = place
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, places, depth)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), places, depth + 1) for index, item in enumerate(node.value)]
    return _scalar(node, place)


def _mapping(node: yaml.MappingNode, path: DataPath, places: Places, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = _place(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise Misplaced(place, "a key must be a plain word")
        key = str(key_node.value)
        if key in found:
            raise Misplaced(place, f"the key {key!r} stands here twice")
        found[key] = _plain(value_node, (*path, key), places, depth + 1)
        places[(*path, key)] = place
    return found


def _scalar(node: yaml.Node, place: Place) -> Any:
    """A date stays the text it was written as: what it means depends on a time zone."""
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        raise Misplaced(place, f"{str(node.value)[:80]!r} cannot be read here") from error
    if isinstance(value, float):
        return Written(value, str(node.value))
    return value if isinstance(value, str | int | bool | None) else str(node.value)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
