"""A merge queue asks for checks of the merge it made, and waits until each that is required has answered.

https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import LetMergeQueueGoOn, Nothing, Wish
from bot.github.hooks.events import MergeGroup
from handlers.push import BRANCHES


def let_the_merge_queue_go_on(group: MergeGroup) -> Sequence[Wish]:
    """A merge that was thrown away needs no answer."""
    if group.action != "checks_requested":
        return [Nothing("merge_group_over")]
    base = group.base_ref.removeprefix(BRANCHES)
    return [LetMergeQueueGoOn(group.repository, group.installation_id, group.head_sha, base)]
