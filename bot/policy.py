"""Who may do what, and to which commit: pure rules over facts just read. Each refusal says what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import Refused
from bot.model import Job, Release
from bot.repo_config import EnvironmentConfig, RepoConfig
from bot.store import HeadMove

LADDER = ("none", "read", "triage", "write", "maintain", "admin")
"""Permissions on a repository, least first.

https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories
"""


@dataclass(frozen=True, slots=True)
class PullFacts:
    """A pull request as GitHub showed it when the command was read. `head_repository` is None for a deleted fork."""

    number: int
    state: str
    head_sha: str
    head_repository: str | None
    base_ref: str


def may(permission: str, needs: str) -> bool:
    """Whether a permission reaches what is needed. An unknown one (a custom role's name) reaches nothing."""
    return permission in LADDER and LADDER.index(permission) >= LADDER.index(needs)


def require_permission(actor: str, permission: str, command: str, needs: str) -> None:
    """Raises Refused("permission_needed")."""
    if not may(permission, needs):
        raise Refused("permission_needed", actor=actor, has=permission, needs=needs, command=command)


def require_deployable(pull: PullFacts, repository: str) -> None:
    """Only an open pull request whose head lies in this very repository. Raises Refused("fork" or "pull_closed")."""
    if pull.head_repository is None or pull.head_repository.lower() != repository.lower():
        raise Refused("fork", head=pull.head_repository)
    if pull.state != "open":
        raise Refused("pull_closed", state=pull.state)


def require_still_head(pull: PullFacts, told: HeadMove | None, asked_seq: int) -> None:
    """The head must be the one announced here before the command was received: receipt order, never commit dates.

    Without any announcement (the app is newer than the pull request) what GitHub says now is taken.
    """
    if told is None:
        return
    if told.received_seq >= asked_seq:
        raise Refused("head_moved", before="–", now=told.sha[:12])
    if told.sha != pull.head_sha:
        raise Refused("head_unknown", before=told.sha[:12], now=pull.head_sha[:12])


def pick_environment(config: RepoConfig, name: str | None) -> EnvironmentConfig:
    """The environment named, or the default one. Raises Refused("unknown_environment")."""
    if name is None:
        return config.default()
    found = config.environments.get(name)
    if found is None:
        raise Refused("unknown_environment", environment=name, known=sorted(config.environments))
    return found


def pick_release(releases: list[Release], environment: str) -> Release:
    """The last good release: the newest older than the one that serves. Raises Refused("no_release")."""
    active = next((release for release in releases if release.active), None)
    if active is not None:
        for release in releases:
            if release.version < active.version:
                return release
    raise Refused("no_release", environment=environment)


def pick_cancellable(job: Job | None, job_id: str | None, repository_id: int) -> Job:
    """The job to cancel. Raises Refused("job_not_found", "job_over" or "nothing_to_cancel")."""
    if job is None or job.repository.id != repository_id:
        raise Refused("job_not_found", job=job_id) if job_id else Refused("nothing_to_cancel")
    if job.state.is_final:
        raise Refused("job_over", job=job.id, state=job.state.value)
    return job
