"""GitHub's "Re-run all checks" of a commit."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import Nothing, RerunAll, Wish
from bot.github.hooks.events import CheckSuiteAsked


def run_all_again(event: CheckSuiteAsked) -> Sequence[Wish]:
    """Only a person may ask for it."""
    if event.sender.is_bot:
        return [Nothing("said_by_a_bot")]
    return [
        RerunAll(
            repository=event.repository,
            installation_id=event.installation_id,
            sha=event.head_sha,
            actor=event.sender.login,
            actor_id=event.sender.id,
            key=f"rerun-{event.check_suite_id}-{event.updated_at}",
        )
    ]
