"""What others say of a commit: its check runs and its statuses together, for a gate to decide on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.github.checks import CheckRun, list_check_runs
from bot.github.client.client import Client


@dataclass(frozen=True, slots=True)
class StatusContext:
    """The newest status of one context; `state` is success, failure, error or pending."""

    context: str
    state: str
    target_url: str


@dataclass(frozen=True, slots=True)
class CommitChecks:
    """Everything said of one commit. What is missing here was not said: a gate must not take it for success."""

    sha: str
    runs: tuple[CheckRun, ...]
    statuses: tuple[StatusContext, ...]

    def without_app(self, app_id: int) -> CommitChecks:
        """The same without the check runs of one app: our own are no part of our gate."""
        return CommitChecks(self.sha, tuple(run for run in self.runs if run.app_id != app_id), self.statuses)


async def commit_checks(client: Client, sha: str) -> CommitChecks:
    """Read both. https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference"""
    operation = "GET /repos/{owner}/{repo}/commits/{ref}/status"
    statuses = await client.listed(operation, _status, items="statuses", ref=sha)
    return CommitChecks(sha, tuple(await list_check_runs(client, sha)), tuple(statuses))


def _status(data: Any) -> StatusContext:
    return StatusContext(str(data["context"]), str(data["state"]), data.get("target_url") or "")
