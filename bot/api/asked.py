"""How the API shows a deployment that was asked for away from the server, with the names it gives any other."""

from __future__ import annotations

from typing import Any

from bot.api.envelopes import when
from bot.asked import Asked
from bot.model import JobState


def asked_data(asked: Asked) -> dict[str, Any]:
    """One deployment with its steps. What is not known yet is null."""
    found = asked.found
    owner, _, name = (found.repository.full_name if found else asked.repo).rpartition("/")
    return {
        "deploymentId": asked.id,
        "status": asked.state.value,
        "userId": asked.user,
        "owner": owner or None,
        "repo": name,
        "branch": asked.branch,
        "sha": found.sha if found else None,
        "environment": found.environment if found else asked.environment,
        "createdAt": when(asked.created_at),
        "startedAt": _at(asked, JobState.PROCESSING),
        "completedAt": when(asked.moved_at) if asked.state.is_final else None,
        "url": asked.outcome.get("url"),
        "errorCode": asked.outcome.get("errorCode"),
        "errorMessage": asked.outcome.get("errorMessage"),
        "steps": [{"status": step.state.value, "at": when(step.at)} for step in asked.steps],
    }


def _at(asked: Asked, state: JobState) -> str | None:
    return next((when(step.at) for step in asked.steps if step.state is state), None)
