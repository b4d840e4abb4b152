"""A push to a branch asks for a deployment of its head commit; settings decide whether that branch is deployed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import DeployPush, Nothing, Wish
from bot.github.hooks.events import Push

BRANCHES = "refs/heads/"
QUEUES = f"{BRANCHES}gh-readonly-queue/"
"""Where a merge queue tries merges; see `merge_group`."""


def deploy_pushed_commit(push: Push) -> Sequence[Wish]:
    """Tags, deleted branches and what a merge queue tries ask for nothing."""
    if push.deleted:
        return [Nothing("branch_deleted")]
    if not push.ref.startswith(BRANCHES):
        return [Nothing("not_a_branch")]
    if push.ref.startswith(QUEUES):
        return [Nothing("merge_queue_branch")]
    actor = push.sender.login if push.sender else push.pusher
    branch = push.ref.removeprefix(BRANCHES)
    number = push.sender.id if push.sender else None
    return [DeployPush(push.repository, push.installation_id, branch, push.default_branch, push.after, actor, number)]
