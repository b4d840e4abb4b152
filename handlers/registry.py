"""Which handler reads which event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.deliveries.wishes import Wish
from bot.github.hooks.events import (
    CheckRunAsked,
    CheckSuiteAsked,
    IssueComment,
    MergeGroup,
    PullRequestChanged,
    Push,
    RepositoryChanged,
)
from handlers.check_run import act_on_a_click
from handlers.check_suite import run_all_again
from handlers.issue_comment import obey_a_new_comment
from handlers.merge_group import let_the_merge_queue_go_on
from handlers.pull_request import note_the_head
from handlers.push import deploy_pushed_commit
from handlers.repository import note_the_name

HANDLERS: Mapping[type, Callable[[Any], Sequence[Wish]]] = {
    CheckRunAsked: act_on_a_click,
    CheckSuiteAsked: run_all_again,
    MergeGroup: let_the_merge_queue_go_on,
    IssueComment: obey_a_new_comment,
    PullRequestChanged: note_the_head,
    Push: deploy_pushed_commit,
    RepositoryChanged: note_the_name,
}
"""Events that are not here are recorded and settled as `not_acted_on`."""
