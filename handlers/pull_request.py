"""A pull request's event tells where its head is: the ledger of heads is kept from these alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.github.events import PullRequestChanged
from bot.wishes import NoteHead, Nothing, Wish

MOVES = frozenset({"opened", "reopened", "synchronize"})


def note_the_head(event: PullRequestChanged) -> Sequence[Wish]:
    """An edited title or a closed pull request moves no head."""
    if event.action not in MOVES:
        return [Nothing("head_unmoved")]
    return [NoteHead(event.repository, event.pull.number, event.pull.head_sha)]
