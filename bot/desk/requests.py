"""Makes the job request of something that was allowed: lane, commit, environment and the frozen plan."""

from __future__ import annotations

from bot.errors import Refused
from bot.jobs.deploy.plan import Plan, lane_of, rollback_plan
from bot.model import JobKind, JobRequest, Origin, Release, Repository
from bot.repo_config import EnvironmentConfig, RepoConfig


def deploy_request(
    repository: Repository,
    config: RepoConfig,
    environment: EnvironmentConfig,
    *,
    sha: str,
    ref: str,
    origin: Origin,
    targets: tuple[str, ...],
    follows_pull: int | None = None,
) -> JobRequest:
    """A deploy of exactly `sha`. `targets` are what this server has, its own first. Raises Refused."""
    target = environment.target or targets[0]
    if target not in targets:
        raise Refused("target_unavailable", target=target, known=list(targets))
    by_push = origin.face == "push"
    plan = Plan(
        environment=environment,
        target=target,
        build=config.build,
        follows_pull=follows_pull,
        requires="" if by_push else "write",
    )
    return JobRequest(
        JobKind.DEPLOY,
        lane_of(repository.id, environment.name),
        repository,
        sha,
        ref,
        environment.name,
        origin,
        plan.to_json(),
        supersedes_waiting=by_push,
    )


def rollback_request(repository: Repository, release: Release, origin: Origin) -> JobRequest:
    """Put a release back, as it was."""
    return JobRequest(
        JobKind.ROLLBACK,
        lane_of(repository.id, release.environment),
        repository,
        release.sha,
        release.sha[:12],
        release.environment,
        origin,
        rollback_plan(release).to_json(),
    )
