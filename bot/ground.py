"""Says a plan of what a service stands on: a line for each part, and a sentence for what happens to how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot import messages
from bot.ports.ground import PartAction, PlannedPart

MARKS = {
    PartAction.CREATE: "+",
    PartAction.CHANGE: "~",
    PartAction.KEEP: "=",
    PartAction.ADOPT: "←",
    PartAction.DELETE: "-",
}


def line(locale: str, part: PlannedPart) -> str:
    """`+ VPC 10.42.0.0/16`, with its id once it has one, and what changes."""
    known = f" ({part.id})" if part.id and part.id != part.title else ""
    changes = f": {part.changes}" if part.changes else ""
    return f"{MARKS[part.action]} {named(locale, part)}{known}{changes}"


def named(locale: str, part: PlannedPart) -> str:
    """`VPC 10.42.0.0/16`"""
    return f"{messages.say(locale, f'ground.{part.kind}')} {part.title}"


def of(parts: Iterable[PlannedPart], *actions: PartAction) -> list[PlannedPart]:
    """Those to which one of these happens."""
    return [part for part in parts if part.action in actions]


def sentences(locale: str, parts: Sequence[PlannedPart]) -> list[str]:
    """A sentence for what is made, for what is changed and for what is taken as it is; none for what stays."""
    told = ((action, of(parts, action)) for action in (PartAction.CREATE, PartAction.CHANGE, PartAction.ADOPT))
    return [
        messages.say(locale, f"ground.{action.value}", names=", ".join(f"`{named(locale, part)}`" for part in some))
        for action, some in told
        if some
    ]


def to_json(part: PlannedPart) -> dict[str, str]:
    """As programs read it."""
    return {
        "action": part.action.value,
        "part": part.part,
        "kind": part.kind,
        "title": part.title,
        "id": part.id,
        "changes": part.changes,
    }
