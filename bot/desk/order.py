"""An order: a command with where, by whom and when it was said."""

from __future__ import annotations

from dataclasses import dataclass

from bot.desk.given import NOTHING_GIVEN, Given
from bot.grammar import Command
from bot.model import Origin, Repository


@dataclass(frozen=True, slots=True)
class Order:
    """`received_seq` is its delivery's order of receipt."""

    command: Command
    repository: Repository
    origin: Origin
    actor_id: int | None
    number: int | None
    is_pull: bool
    received_seq: int
    key: str
    """Names the order among all: its answer is found again by it."""
    known_sha: str | None = None
    """A commit this server took on before, so that it need not be in a branch any more."""
    pinned_sha: str | None = None
    """The commit its ref was at when it was asked for elsewhere: that one is meant, wherever the ref is now."""
    given: Given = NOTHING_GIVEN
