"""Operations on deployments and commit statuses."""

from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.github.acts import deployments, repositories
from bot.sandbox.github.model import Deployment
from bot.sandbox.github.refusals import GitHubError, not_found, validation_failed
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import work

Json = dict[str, Any]
MAX_DESCRIPTION = 140


async def create_deployment(call: Call) -> Reply:
    """A new deployment: 201; 202 when the default branch was merged in instead; 409 when it may not be."""
    ref = call.body["ref"]
    sha = await call.repository.git.resolve(ref)
    if sha is None:
        raise GitHubError(422, f"No ref found for: {ref}")
    _require_short(call.body)
    if call.body.get("auto_merge", True) and await deployments.behind_default(call.repository, ref, sha):
        return await _merged_default(call, ref, sha)
    deployments.require_contexts(call.repository, sha, call.body.get("required_contexts"))
    made = deployments.create(call.hub, call.repository, sha, call.body, call.actor, call.app)
    return Reply(work.deployment(call.base, call.repository, made), 201)


async def _merged_default(call: Call, ref: str, sha: str) -> Reply:
    """Merge the default branch into the ref, as `auto_merge` asks, and deploy nothing."""
    default = call.repository.default_branch
    onto = await call.commit(default)
    merged = await call.repository.git.merge(sha, onto, f"Auto-merged {default} into {ref} on deployment.")
    if merged is None:
        raise GitHubError(409, f"Conflict merging {default} into {ref}.")
    await repositories.move(call.hub, call.repository, f"refs/heads/{ref}", merged, call.actor)
    return Reply({"message": f"Auto-merged {default} into {ref} on deployment."}, 202)


async def list_deployments(call: Call) -> Reply:
    """Deployments, newest first, by SHA, ref, task and environment."""
    newest = sorted(call.repository.deployments.values(), key=lambda one: one.id, reverse=True)
    chosen = [one for one in newest if all(_is(call, one, name) for name in ("sha", "ref", "task", "environment"))]
    return call.listed(chosen, lambda one: work.deployment(call.base, call.repository, one))


async def get_deployment(call: Call) -> Reply:
    """One deployment."""
    return Reply(work.deployment(call.base, call.repository, _deployment(call)))


async def delete_deployment(call: Call) -> Reply:
    """Remove a deployment that isn't active, or the only one."""
    one = _deployment(call)
    if one.state not in ("inactive", "pending", "failure", "error") and len(call.repository.deployments) > 1:
        raise GitHubError(422, "We cannot delete an active deployment unless it is the only deployment in a repository")
    del call.repository.deployments[one.id]
    return Reply(status=204)


async def delete_environment(call: Call) -> Reply:
    """Forget an environment; its deployments stay."""
    name = call.path["environment_name"]
    if name not in call.repository.environments:
        raise not_found()
    call.repository.environments.discard(name)
    return Reply(status=204)


async def create_status(call: Call) -> Reply:
    """How a deployment goes on."""
    one = _deployment(call)
    _require_short(call.body)
    for name in ("log_url", "environment_url", "target_url"):
        if (url := call.body.get(name)) and urlsplit(url).scheme not in ("http", "https"):
            raise validation_failed("DeploymentStatus", name, "custom", f"{name} must use http(s) scheme")
    status = deployments.add_status(call.hub, call.repository, one, call.body, call.actor)
    return Reply(work.deployment_status(call.base, call.repository, one, status), 201)


async def list_statuses(call: Call) -> Reply:
    """Statuses of a deployment, newest first."""
    one = _deployment(call)
    newest = list(reversed(one.statuses))
    return call.listed(newest, lambda status: work.deployment_status(call.base, call.repository, one, status))


async def get_status(call: Call) -> Reply:
    """One status of a deployment."""
    one = _deployment(call)
    found = next((status for status in one.statuses if status.id == call.path["status_id"]), None)
    if found is None:
        raise not_found()
    return Reply(work.deployment_status(call.base, call.repository, one, found))


async def create_commit_status(call: Call) -> Reply:
    """Set a context of a commit."""
    sha = await call.commit(call.path["sha"])
    _require_short(call.body)
    status = deployments.set_status(call.hub, call.repository, sha, call.body, call.actor)
    return Reply(work.commit_status(call.base, call.repository, status), 201)


async def list_commit_statuses(call: Call) -> Reply:
    """Every status ever set on a commit, newest first."""
    sha = await call.commit(call.path["ref"])
    newest = [one for one in reversed(call.repository.statuses) if one.sha == sha]
    return call.listed(newest, lambda one: work.commit_status(call.base, call.repository, one))


async def get_combined_status(call: Call) -> Reply:
    """The newest status of each context as one."""
    sha = await call.commit(call.path["ref"])
    newest = list(deployments.newest_statuses(call.repository, sha).values())
    chosen, pages = call.page(newest)
    page = [work.commit_status(call.base, call.repository, one) for one in chosen]
    return Reply(work.combined_status(call.base, call.repository, sha, newest, page), pages=pages)


def _deployment(call: Call) -> Deployment:
    found = call.repository.deployments.get(call.path["deployment_id"])
    if found is None:
        raise not_found()
    return found


def _is(call: Call, one: Deployment, name: str) -> bool:
    wanted = call.query.get(name, "none")
    return wanted == "none" or bool(getattr(one, name) == wanted)


def _require_short(body: Json) -> None:
    """Raises GitHubError 422 for a description over 140 characters."""
    if len(body.get("description") or "") > MAX_DESCRIPTION:
        message = f"description is too long (maximum is {MAX_DESCRIPTION} characters)"
        raise validation_failed("Deployment", "description", "custom", message)


HANDLERS: dict[str, Handler] = {
    "repos/create-deployment": create_deployment,
    "repos/list-deployments": list_deployments,
    "repos/get-deployment": get_deployment,
    "repos/delete-deployment": delete_deployment,
    "repos/delete-an-environment": delete_environment,
    "repos/create-deployment-status": create_status,
    "repos/list-deployment-statuses": list_statuses,
    "repos/get-deployment-status": get_status,
    "repos/create-commit-status": create_commit_status,
    "repos/list-commit-statuses-for-ref": list_commit_statuses,
    "repos/get-combined-status-for-ref": get_combined_status,
}
