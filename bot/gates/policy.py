"""Who may do what, and to which commit: pure rules over facts just read. Each refusal says what to do next."""

from __future__ import annotations

from bot.errors import Refused
from bot.github.people import Role
from bot.github.pulls import PullRequest
from bot.model import Job
from bot.repo_config.config import EnvironmentConfig, RepoConfig
from bot.store.changes import HeadMove


def require_role(actor: str, role: Role, command: str, needs: str) -> None:
    """Raises Refused("permission_needed"). `needs` is a role's name in lower case."""
    if role < Role[needs.upper()]:
        raise Refused("permission_needed", actor=actor, has=role.name.lower(), needs=needs, command=command)


def require_deployable(pull: PullRequest, *, trusted: bool = False) -> None:
    """Only an open pull request whose head lies in this very repository, or is a fork's commit that is `trusted`.

    Raises Refused("fork" or "pull_closed").
    """
    if pull.from_fork and not trusted:
        raise Refused("fork", head=pull.head_repository, sha=pull.head_sha[:7])
    require_open(pull)


def require_open(pull: PullRequest) -> None:
    """Raises Refused("pull_closed")."""
    if pull.state != "open":
        raise Refused("pull_closed", state="merged" if pull.merged else pull.state)


def require_still_head(pull: PullRequest, told: HeadMove | None, asked_seq: int) -> None:
    """The head must be the one announced here before the command was received: receipt order, never commit dates.

    Without any announcement (the app is newer than the pull request) what GitHub says now is taken.
    """
    if told is None:
        return
    if told.received_seq >= asked_seq:
        raise Refused("head_moved", before="–", now=told.sha[:7])
    if told.sha != pull.head_sha:
        raise Refused("head_unknown", before=told.sha[:7], now=pull.head_sha[:7])


def pick_environment(config: RepoConfig, name: str | None) -> EnvironmentConfig:
    """The environment named, or the default one. Raises Refused("unknown_environment")."""
    if name is None:
        return config.default()
    found = config.environments.get(name)
    if found is None:
        raise Refused("unknown_environment", environment=name, known=sorted(config.environments))
    return found


def pick_environments(config: RepoConfig, names: str | None) -> list[EnvironmentConfig]:
    """The environments named, separated by commas, each once; or the default one. Raises Refused."""
    given = dict.fromkeys(name for name in names.split(",") if name) if names else [None]
    return [pick_environment(config, name) for name in given]


def pick_cancellable(job: Job | None, job_id: str | None, repository_id: int) -> Job:
    """The job to cancel. Raises Refused("job_not_found", "job_over" or "nothing_to_cancel")."""
    if job is None or job.repository.id != repository_id:
        raise Refused("job_not_found", job=job_id) if job_id else Refused("nothing_to_cancel")
    if job.state.is_final:
        raise Refused("job_over", job=job.id, state=job.state.value)
    return job
