"""The rules of Block Kit that a schema can't say: what must be unique, what needs what, what must be among what."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Broken = tuple[str, str]
"""A sentence and the JSON pointer of its place, relative to the value that was asked about."""
MENUS = {"static_select", "multi_static_select"}


def broken_rules(value: Any) -> Iterator[Broken]:
    """Every rule that well-formed blocks, attachments or a view break."""
    if isinstance(value, dict) and value.get("type") == "modal":
        yield from _submit_where_asked(value)
    yield from _unique_block_ids(value)
    for node, pointer in nodes(value):
        yield from _sections_say_something(node, pointer)
        yield from _menus_have_one_source(node, pointer)
        yield from _unique_action_ids(node, pointer)
        yield from _initial_among_options(node, pointer)


def nodes(value: Any, pointer: str = "") -> Iterator[tuple[Json, str]]:
    """Every object inside a value, outermost first, with its JSON pointer."""
    if isinstance(value, dict):
        yield value, pointer
        children = list(value.items())
    else:
        children = list(enumerate(value)) if isinstance(value, list) else []
    for key, child in children:
        yield from nodes(child, f"{pointer}/{key}")


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, wherever that kind of block keeps them."""
    single = [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    many = block.get("elements") if block.get("type") in ("actions", "context_actions") else None
    return single + list(many or [])


def options_of(element: Json) -> list[Json]:
    """The options a menu, radio group or overflow shows, groups flattened."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return list(element.get("options", [])) + grouped


def _submit_where_asked(view: Json) -> Iterator[Broken]:
    if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
        yield "missing required field: submit, because the modal has an input block", ""


def _unique_block_ids(value: Any) -> Iterator[Broken]:
    """A `block_id` stands once in a message or view."""
    placed = [(node["block_id"], pointer) for node, pointer in nodes(value) if node.get("block_id")]
    for block_id in _repeated([name for name, _ in placed]):
        pointer = [place for name, place in placed if name == block_id][-1]
        yield f"`block_id` {block_id} already exists", f"{pointer}/block_id"


def _unique_action_ids(node: Json, pointer: str) -> Iterator[Broken]:
    """An `action_id` stands once in the block that contains it."""
    for action_id in _repeated([element.get("action_id", "") for element in elements_of(node)]):
        yield f"`action_id` {action_id} already exists", pointer


def _repeated(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if name and times > 1]


def _sections_say_something(node: Json, pointer: str) -> Iterator[Broken]:
    if node.get("type") == "section" and not node.get("text") and not node.get("fields"):
        yield "missing required field: text or fields", pointer


def _menus_have_one_source(node: Json, pointer: str) -> Iterator[Broken]:
    if node.get("type") in MENUS and ("options" in node) == ("option_groups" in node):
        yield "exactly one of options, option_groups is needed", pointer


def _initial_among_options(node: Json, pointer: str) -> Iterator[Broken]:
    """What is chosen at first must be, in every field, one of the options."""
    chosen = [node["initial_option"]] if "initial_option" in node else node.get("initial_options", [])
    offered = options_of(node)
    if offered and any(option not in offered for option in chosen):
        yield "initial option must exactly match one of the options", pointer
