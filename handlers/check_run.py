"""A click on a check run of ours: one of its buttons, or GitHub's own "Re-run"."""

from __future__ import annotations

from collections.abc import Sequence

from bot.deliveries.wishes import ClickButton, Nothing, Wish
from bot.github.hooks.events import CheckRunAsked

ACTIONS = frozenset({"analyze", "approve", "retry", "cancel", "rollback"})


def act_on_a_click(event: CheckRunAsked) -> Sequence[Wish]:
    """The check run's external id is the job's id; one that is not ours has another."""
    action = "retry" if event.action == "rerequested" else event.identifier
    if not event.external_id.startswith("dep_"):
        return [Nothing("not_our_check_run")]
    if action not in ACTIONS:
        return [Nothing("unknown_button")]
    if event.sender.is_bot:
        return [Nothing("said_by_a_bot")]
    return [
        ClickButton(
            repository=event.repository,
            installation_id=event.installation_id,
            job_id=event.external_id,
            action=action,
            actor=event.sender.login,
            actor_id=event.sender.id,
            key=f"click-{event.check_run_id}-{action}-{event.shown}",
        )
    ]
