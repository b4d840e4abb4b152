"""Operations on checks, deployments and commit statuses."""

from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.github.acts import checks, deployments, repositories
from bot.sandbox.github.model import CheckRun, CheckSuite, CommitStatus, Deployment
from bot.sandbox.github.refusals import GitHubError, invalid_request, not_found, validation_failed
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import work

Json = dict[str, Any]
MAX_DESCRIPTION = 140
MAX_ANNOTATION_BYTES = 64 * 1024


async def create_run(call: Call) -> Reply:
    """A new check run."""
    _require_coherent(call.body)
    sha = call.body["head_sha"]
    if len(sha) != 40 or await call.repository.git.kind(sha) != "commit":
        raise GitHubError(422, f"No commit found for SHA: {sha}")
    suite = checks.suite_for(call.hub, call.repository, sha, await _branch_of(call, sha))
    run = checks.create_run(call.hub, call.repository, suite, call.body)
    return Reply(work.check_run(call.base, call.repository, run), 201)


async def update_run(call: Call) -> Reply:
    """Change a check run; only the app that made it may."""
    run = _run(call)
    _require_coherent(call.body)
    if "output" in call.body and "summary" not in call.body["output"]:
        raise invalid_request("For 'properties/output', \"summary\" wasn't supplied.")
    checks.update_run(call.hub, call.repository, run, call.body)
    return Reply(work.check_run(call.base, call.repository, run))


async def get_run(call: Call) -> Reply:
    """One check run."""
    return Reply(work.check_run(call.base, call.repository, _run(call)))


async def list_annotations(call: Call) -> Reply:
    """All annotations of a check run, in the order they came."""
    run = _run(call)
    return call.listed(run.annotations, lambda one: work.annotation(call.base, call.repository, run, one))


async def list_runs_of_commit(call: Call) -> Reply:
    """Check runs of a commit; of each name only the newest unless `filter=all`."""
    sha = await call.commit(call.path["ref"])
    runs = [one for one in call.repository.check_runs.values() if one.head_sha == sha]
    return _runs(call, [one for one in runs if call.query.get("app_id") in (None, one.app.id)])


async def list_runs_of_suite(call: Call) -> Reply:
    """Check runs of a suite, by the same rules."""
    suite = _suite(call)
    return _runs(call, [one for one in call.repository.check_runs.values() if one.suite is suite])


async def create_suite(call: Call) -> Reply:
    """A suite on a commit: 201, or 200 when it was there."""
    sha = await call.commit(call.body["head_sha"])
    known = {one.id for one in call.repository.suites.values()}
    suite = checks.suite_for(call.hub, call.repository, sha, await _branch_of(call, sha))
    return Reply(await _suite_shape(call, suite), 200 if suite.id in known else 201)


async def get_suite(call: Call) -> Reply:
    """One suite."""
    return Reply(await _suite_shape(call, _suite(call)))


async def list_suites(call: Call) -> Reply:
    """Suites of a commit."""
    sha = await call.commit(call.path["ref"])
    suites = [one for one in call.repository.suites.values() if one.head_sha == sha]
    shapes = [await _suite_shape(call, one) for one in suites]
    return call.counted("check_suites", shapes, lambda one: one)


async def rerequest_run(call: Call) -> Reply:
    """Ask the app for one run again."""
    checks.rerequest_run(call.hub, call.repository, _run(call), call.actor)
    return Reply({}, 201)


async def rerequest_suite(call: Call) -> Reply:
    """Ask the app for all runs of a suite again."""
    await checks.rerequest_suite(call.hub, call.repository, _suite(call), call.actor)
    return Reply({}, 201)


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
    body = call.body
    context = body.get("context") or "default"
    facts = (body["state"], context, body.get("description"), body.get("target_url"))
    status = CommitStatus(call.hub.world.next_id(), sha, *facts, call.actor, call.hub.world.now())
    call.repository.statuses.append(status)
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


def _runs(call: Call, runs: list[CheckRun]) -> Reply:
    """A page of check runs, newest first, by name, status and newness."""
    query, newest = call.query, list(reversed(runs))
    if query.get("filter", "latest") == "latest":
        newest = list({one.name: one for one in runs}.values())[::-1]
    chosen = [
        one
        for one in newest
        if query.get("check_name") in (None, one.name) and query.get("status") in (None, one.status)
    ]
    return call.counted("check_runs", chosen, lambda one: work.check_run(call.base, call.repository, one))


def _run(call: Call) -> CheckRun:
    found = call.repository.check_runs.get(call.path["check_run_id"])
    if found is None:
        raise not_found()
    return found


def _suite(call: Call) -> CheckSuite:
    found = call.repository.suites.get(call.path["check_suite_id"])
    if found is None:
        raise not_found()
    return found


async def _suite_shape(call: Call, suite: CheckSuite) -> Json:
    commit = await checks.head_commit(call.repository, suite.head_sha)
    return work.check_suite(call.base, call.repository, suite, commit)


async def _branch_of(call: Call, sha: str) -> str | None:
    """A branch whose head this commit is."""
    heads = await call.repository.git.refs("refs/heads/")
    return next((name.removeprefix("refs/heads/") for name, head in heads.items() if head == sha), None)


def _deployment(call: Call) -> Deployment:
    found = call.repository.deployments.get(call.path["deployment_id"])
    if found is None:
        raise not_found()
    return found


def _is(call: Call, one: Deployment, name: str) -> bool:
    wanted = call.query.get(name, "none")
    return wanted == "none" or bool(getattr(one, name) == wanted)


def _require_coherent(body: Json) -> None:
    """What the published schema doesn't say of a check run. Raises GitHubError 422.

    https://docs.github.com/rest/checks/runs#create-a-check-run
    """
    if body.get("status") == "completed" and "conclusion" not in body:
        raise invalid_request('Missing "conclusion": it is required when the status is "completed".')
    if "completed_at" in body and "conclusion" not in body:
        raise invalid_request('Missing "conclusion": it is required with "completed_at".')
    if "conclusion" in body and body.get("status", "completed") != "completed":
        raise invalid_request('A "conclusion" can only be given with the status "completed".')
    if body.get("conclusion") == "stale":
        raise invalid_request('Only GitHub can set the conclusion "stale".')
    if body.get("status") in ("waiting", "requested", "pending"):
        raise invalid_request(f"Only GitHub Actions can set the status {body['status']!r}.")
    if (url := body.get("details_url")) and urlsplit(url).scheme not in ("http", "https"):
        raise validation_failed("CheckRun", "details_url", "custom", "details_url must use http or https scheme")
    for one in body.get("output", {}).get("annotations", []):
        _require_annotation(one)


def _require_annotation(one: Json) -> None:
    """Lines and columns that make sense, and texts that aren't too long."""
    if one["start_line"] > one["end_line"]:
        raise invalid_request('"end_line" must not be before "start_line".')
    if one["start_line"] != one["end_line"] and ("start_column" in one or "end_column" in one):
        raise invalid_request("Annotations support columns only on one and the same line.")
    if len(one.get("title", "")) > 255:
        raise invalid_request("The maximum size of an annotation's title is 255 characters.")
    for name in ("message", "raw_details"):
        if len(one.get(name, "").encode()) > MAX_ANNOTATION_BYTES:
            raise invalid_request(f"The maximum size of an annotation's {name} is 64 KB.")


def _require_short(body: Json) -> None:
    """Raises GitHubError 422 for a description over 140 characters."""
    if len(body.get("description") or "") > MAX_DESCRIPTION:
        message = f"description is too long (maximum is {MAX_DESCRIPTION} characters)"
        raise validation_failed("Deployment", "description", "custom", message)


HANDLERS: dict[str, Handler] = {
    "checks/create": create_run,
    "checks/update": update_run,
    "checks/get": get_run,
    "checks/list-annotations": list_annotations,
    "checks/list-for-ref": list_runs_of_commit,
    "checks/list-for-suite": list_runs_of_suite,
    "checks/create-suite": create_suite,
    "checks/get-suite": get_suite,
    "checks/list-suites-for-ref": list_suites,
    "checks/rerequest-run": rerequest_run,
    "checks/rerequest-suite": rerequest_suite,
    "repos/create-deployment": create_deployment,
    "repos/list-deployments": list_deployments,
    "repos/get-deployment": get_deployment,
    "repos/delete-deployment": delete_deployment,
    "repos/create-deployment-status": create_status,
    "repos/list-deployment-statuses": list_statuses,
    "repos/get-deployment-status": get_status,
    "repos/create-commit-status": create_commit_status,
    "repos/list-commit-statuses-for-ref": list_commit_statuses,
    "repos/get-combined-status-for-ref": get_combined_status,
}
