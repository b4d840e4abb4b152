"""A pull request's event tells where its head is: the ledger of heads is kept from these alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import FollowPull, JudgeChange, NoteHead, Nothing, Wish
from bot.github.hooks.events import PullRequestChanged

MOVES = frozenset({"opened", "reopened", "synchronize"})


def note_the_head(event: PullRequestChanged) -> Sequence[Wish]:
    """An edited title moves no head. A preview follows the head, and goes when the pull request is closed."""
    if event.action == "closed":
        return [_follow(event)]
    if event.action not in MOVES:
        return [Nothing("head_unmoved")]
    pull, actor = event.pull, event.sender.login if event.sender else ""
    return [
        NoteHead(event.repository, pull.number, pull.head_sha),
        JudgeChange(event.repository, event.installation_id, pull.number, pull.head_sha, actor),
        _follow(event),
    ]


def _follow(event: PullRequestChanged) -> FollowPull:
    pull, sender = event.pull, event.sender
    return FollowPull(
        event.repository,
        event.installation_id,
        pull.number,
        pull.head_sha,
        pull.from_fork,
        event.action,
        sender.login,
        sender.id,
    )
