"""A comment just written may hold commands; edits, deletions and what bots write never do."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import Nothing, ObeyComment, Wish
from bot.github.hooks.events import IssueComment


def obey_a_new_comment(comment: IssueComment) -> Sequence[Wish]:
    """Only `created` acts, and only for the person who wrote it."""
    if comment.action != "created":
        return [Nothing(f"comment_{comment.action}")]
    if comment.sender.is_bot or comment.author.is_bot or comment.via_app is not None:
        return [Nothing("said_by_a_bot")]
    if comment.sender.id != comment.author.id:
        return [Nothing("said_for_another")]
    return [
        ObeyComment(
            repository=comment.repository,
            installation_id=comment.installation_id,
            number=comment.issue_number,
            is_pull=comment.is_pull,
            comment_id=comment.comment_id,
            actor=comment.sender.login,
            actor_id=comment.sender.id,
            body=comment.body,
        )
    ]
