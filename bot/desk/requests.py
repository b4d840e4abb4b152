"""Makes the job request of something that was allowed: lane, commit, environment and the frozen plan."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import NamedTuple

from bot.desk.given import NOTHING_GIVEN, Given
from bot.desk.options import with_options
from bot.desk.order import Order
from bot.errors import Refused
from bot.gates import policy
from bot.github.pulls import PullRequest
from bot.grammar import Command
from bot.jobs.deploy.plan import LENT_TARGET, Plan, lane_of, promote_plan, rollback_plan
from bot.jobs.deploy.watching.steps import watched
from bot.model import JobKind, JobRequest, Origin, Release, Repository
from bot.previews import preview_environment
from bot.repo_config.config import EnvironmentConfig, RepoConfig

NO_COMMAND = Command("", "")
"""What a push says beside its commit."""
ONLY_HERE = "sha256:"
"""How an image begins that no registry has."""
LIKE = (
    *("port", "health", "health_timeout_s", "checks", "drain_s"),
    *("memory_mb", "cpus", "pids", "read_only", "command", "release_command"),
)
"""What a preview takes over of the environment it is like, beside its variables."""
PLATFORMS = frozenset({LENT_TARGET})
"""Targets whose load balancer an environment has to itself: a preview would take it over."""


class Commit(NamedTuple):
    """What is deployed, and as what it was named."""

    sha: str
    ref: str


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
    command: Command = NO_COMMAND,
    given: Given = NOTHING_GIVEN,
) -> JobRequest:
    """A deploy of exactly `sha`. `targets` are what this server has, its own first. Raises Refused."""
    by_push = origin.face == "push"
    environment = given.over(environment)
    plan = Plan(
        environment=with_options(environment, command),
        target=_target(environment, targets),
        build=config.build,
        follows_pull=follows_pull,
        requires="" if by_push else "write",
        noop=command.has("noop"),
        set_by_hand=tuple(command.pairs),
        canary=command.get("canary"),
        reason=command.get("reason"),
        connection_by_key=given.aws is not None,
        only_if_lent=given.only_if_lent,
        github_connection=given.github,
    )
    return _request(repository, Commit(sha, ref), origin, watched(plan), replaces_waiting=by_push)


def preview_request(
    order: Order, config: RepoConfig, pull: PullRequest, ends_at: datetime, targets: tuple[str, ...]
) -> JobRequest:
    """The head of a pull request, into its own environment; a newer head replaces one that waits. Raises Refused."""
    environment = _preview_environment(config, pull.number)
    plan = Plan(
        environment=environment,
        target=_target(environment, tuple(target for target in targets if target not in PLATFORMS)),
        build=config.build,
        follows_pull=pull.number,
        preview_ends_at=ends_at.isoformat(),
    )
    head = Commit(pull.head_sha, pull.head_ref)
    return _request(order.repository, head, order.origin, plan, replaces_waiting=True)


def _preview_environment(config: RepoConfig, number: int) -> EnvironmentConfig:
    """Like the environment it is set to be like, but for its secrets, hosts, rules and steps. Raises Refused."""
    previews = config.previews
    like = policy.pick_environment(config, previews.like) if previews.like else EnvironmentConfig("")
    return dataclasses.replace(
        EnvironmentConfig(preview_environment(number)),
        **{name: getattr(like, name) for name in LIKE},
        env={**like.env, **previews.env},
        secrets=previews.secrets,
        hosts=(previews.host.format(number=number),) if previews.host else (),
    )


def promote_request(
    order: Order, release: Release, environment: EnvironmentConfig, targets: tuple[str, ...]
) -> JobRequest:
    """Put the image of a release into another environment. Raises Refused where it cannot be had there."""
    target = _target(environment, targets)
    if release.image.startswith(ONLY_HERE) and release.spec.get("target") != target:
        raise Refused("image_not_pushed", target=target, environment=environment.name, source=release.environment)
    plan = promote_plan(release, environment, target, order.command.get("reason"))
    return _request(order.repository, _commit_of(release), order.origin, watched(plan))


def _target(environment: EnvironmentConfig, targets: tuple[str, ...]) -> str:
    target = environment.target or next(iter(targets), None)
    if target in PLATFORMS and environment.connection is not None:
        return str(target)
    if target not in targets:
        raise Refused("target_unavailable", target=target, known=list(targets))
    return target


def rollback_request(repository: Repository, release: Release, origin: Origin, reason: str | None = None) -> JobRequest:
    """Put a release back, as it was."""
    plan = watched(rollback_plan(release, reason))
    return _request(repository, _commit_of(release), origin, plan, kind=JobKind.ROLLBACK)


def _commit_of(release: Release) -> Commit:
    return Commit(release.sha, release.sha[:7])


def _request(
    repository: Repository,
    commit: Commit,
    origin: Origin,
    plan: Plan,
    *,
    kind: JobKind = JobKind.DEPLOY,
    replaces_waiting: bool = False,
) -> JobRequest:
    """The plan as a job in the lane of its environment; it may replace one that still waits there."""
    name = plan.environment.name
    return JobRequest(
        kind,
        lane_of(repository.id, name),
        repository,
        commit.sha,
        commit.ref,
        name,
        origin,
        plan.to_json(),
        supersedes_waiting=replaces_waiting,
    )
