"""What happens to deployments, and the rules by which GitHub refuses to make one.

https://docs.github.com/rest/deployments/deployments#create-a-deployment
"""

from typing import Any

from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, App, CommitStatus, Deployment, DeploymentStatus, Repository
from bot.sandbox.github.refusals import GitHubError
from bot.sandbox.github.shapes import work

Json = dict[str, Any]
GOOD_CONCLUSIONS = {"success", "neutral", "skipped"}


async def behind_default(repository: Repository, ref: str, sha: str) -> bool:
    """Whether a branch lacks commits of the default branch, so that `auto_merge` would merge them in."""
    heads = await repository.git.refs("refs/heads/")
    default = heads.get(f"refs/heads/{repository.default_branch}")
    if default is None or f"refs/heads/{ref}" not in heads or ref == repository.default_branch:
        return False
    return not await repository.git.is_ancestor(default, sha)


def require_contexts(repository: Repository, sha: str, wanted: list[str] | None) -> None:
    """Raises GitHubError 409 unless every wanted context (None: all there are) is green on this commit."""
    states = contexts(repository, sha)
    names = list(states) if wanted is None else wanted
    failing = [{"context": name, "state": states.get(name, "missing")} for name in names]
    failing = [one for one in failing if one["state"] != "success"]
    if failing:
        error = {"contexts": failing, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise GitHubError(409, f"Conflict: Commit status checks failed for {sha}.", errors=[error])


def contexts(repository: Repository, sha: str) -> dict[str, str]:
    """State of every status context and check run of a commit, by name, newest winning."""
    states = {one.context: one.state for one in newest_statuses(repository, sha).values()}
    for run in repository.check_runs.values():
        if run.head_sha == sha:
            good = run.conclusion in GOOD_CONCLUSIONS
            states[run.name] = "success" if good else "pending" if run.status != "completed" else "failure"
    return states


def set_status(hub: Hub, repository: Repository, sha: str, body: Json, by: Account) -> CommitStatus:
    """A status on a commit, from a request that was checked before."""
    facts = (body["state"], body.get("context") or "default", body.get("description"), body.get("target_url"))
    status = CommitStatus(hub.world.next_id(), sha, *facts, by, hub.world.now())
    repository.statuses.append(status)
    return status


def newest_statuses(repository: Repository, sha: str) -> dict[str, CommitStatus]:
    """The newest status of each context of a commit."""
    return {one.context: one for one in repository.statuses if one.sha == sha}


def create(hub: Hub, repository: Repository, sha: str, body: Json, by: Account, app: App | None) -> Deployment:
    """A new deployment from a request that was checked before."""
    environment = body.get("environment", "production")
    deployment = Deployment(
        id=hub.world.next_id(),
        sha=sha,
        ref=body["ref"],
        task=body.get("task", "deploy"),
        payload=body.get("payload", {}),
        environment=environment,
        description=body.get("description"),
        creator=by,
        created_at=hub.world.now(),
        transient=body.get("transient_environment", False),
        production=body.get("production_environment", environment == "production"),
        app=app,
        original_environment=environment,
    )
    repository.deployments[deployment.id] = deployment
    repository.environments.add(environment)
    shape = work.deployment(hub.base, repository, deployment)
    hub.tell(repository, "deployment", by, action="created", deployment=shape, workflow=None, workflow_run=None)
    return deployment


def add_status(hub: Hub, repository: Repository, deployment: Deployment, body: Json, by: Account) -> DeploymentStatus:
    """A new status; a success makes older deployments of the environment inactive unless told not to.

    Deployments to production environments stay as they are: https://docs.github.com/rest/deployments/statuses
    """
    status = DeploymentStatus(
        id=hub.world.next_id(),
        state=body["state"],
        creator=by,
        created_at=hub.world.now(),
        environment=body.get("environment", deployment.environment),
        description=body.get("description", ""),
        log_url=body.get("log_url", ""),
        target_url=body.get("target_url", ""),
        environment_url=body.get("environment_url", ""),
    )
    deployment.environment = status.environment
    deployment.statuses.append(status)
    if status.state == "success" and body.get("auto_inactive", True):
        _retire_others(hub, repository, deployment, by)
    _tell_status(hub, repository, deployment, status, by)
    return status


def _retire_others(hub: Hub, repository: Repository, newest: Deployment, by: Account) -> None:
    """Mark earlier, successful, lasting, non-production deployments of the same environment inactive."""
    for one in repository.deployments.values():
        same = one is not newest and one.environment == newest.environment and one.id < newest.id
        if same and not one.transient and not one.production and one.state == "success":
            status = DeploymentStatus(hub.world.next_id(), "inactive", by, hub.world.now(), one.environment)
            one.statuses.append(status)
            _tell_status(hub, repository, one, status, by)


def _tell_status(
    hub: Hub, repository: Repository, deployment: Deployment, status: DeploymentStatus, by: Account
) -> None:
    """A `deployment_status` event, which GitHub doesn't send for `inactive`."""
    if status.state == "inactive":
        return
    hub.tell(
        repository,
        "deployment_status",
        by,
        action="created",
        deployment_status=work.deployment_status(hub.base, repository, deployment, status),
        deployment=work.deployment(hub.base, repository, deployment),
        check_run=None,
        workflow=None,
        workflow_run=None,
    )
