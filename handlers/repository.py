"""A repository that is renamed or transferred is found by its new name from then on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import NoteName, Nothing, Wish
from bot.github.hooks.events import RepositoryChanged

NAMED_ANEW = frozenset({"renamed", "transferred"})


def note_the_name(changed: RepositoryChanged) -> Sequence[Wish]:
    """Whatever else happens to a repository asks for nothing."""
    return [NoteName(changed.repository)] if changed.action in NAMED_ANEW else [Nothing("not_acted_on")]
