"""How GitHub writes checks, deployments and commit statuses."""

from typing import Any

from bot.sandbox.github.model import (
    CheckRun,
    CheckSuite,
    CommitStatus,
    Deployment,
    DeploymentStatus,
    Repository,
    iso,
    node_id,
)
from bot.sandbox.github.shapes import accounts, talk

Json = dict[str, Any]
ANNOTATION = ("path", "start_line", "end_line", "start_column", "end_column", "annotation_level", "title", "message")


def pulls_at(base: str, repository: Repository, sha: str) -> list[Json]:
    """Open pull requests from this repository's own branches whose head is this commit."""
    mine = (issue for issue in repository.issues.values() if issue.pull and issue.state == "open")
    at = (one for one in mine if one.pull and one.pull.head_sha == sha and one.pull.head_repo is repository)
    return [talk.pull_in_check(base, repository, one) for one in at]


def check_run(base: str, repository: Repository, run: CheckRun) -> Json:
    """One check run."""
    url = f"{accounts.api_of(base, repository)}/check-runs/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": node_id("CR", run.id),
        "head_sha": run.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{base}/{repository.full_name}/runs/{run.id}",
        "details_url": run.details_url or f"{base}/apps/{run.app.slug}",
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": accounts.app(base, run.app),
        "pull_requests": pulls_at(base, repository, run.head_sha),
    }


def check_run_in_delivery(base: str, repository: Repository, run: CheckRun) -> Json:
    """The same with its suite written out, as deliveries carry it."""
    return check_run(base, repository, run) | {"check_suite": suite_in_check_run(base, repository, run.suite)}


def annotation(base: str, repository: Repository, run: CheckRun, one: Json) -> Json:
    """One annotation of a check run."""
    link = f"{base}/{repository.full_name}/blob/{run.head_sha}/{one['path']}"
    return {name: one.get(name) for name in (*ANNOTATION, "raw_details")} | {"blob_href": link}


def suite_state(repository: Repository, suite: CheckSuite) -> tuple[str, str | None]:
    """Status and conclusion of a suite, from the newest run of each name."""
    newest = {run.name: run for run in repository.check_runs.values() if run.suite is suite}
    if not newest:
        return "queued", None
    if any(run.status != "completed" for run in newest.values()):
        return ("in_progress" if any(run.status != "queued" for run in newest.values()) else "queued"), None
    order = ("action_required", "cancelled", "timed_out", "failure", "neutral", "skipped", "success")
    found = {run.conclusion for run in newest.values()}
    return "completed", next((one for one in order if one in found), "success")


def suite_in_check_run(base: str, repository: Repository, suite: CheckSuite) -> Json:
    """A suite as a check run's delivery carries it."""
    status, conclusion = suite_state(repository, suite)
    return {
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": f"{accounts.api_of(base, repository)}/check-suites/{suite.id}",
        "before": suite.before,
        "after": suite.head_sha,
        "pull_requests": pulls_at(base, repository, suite.head_sha),
        "app": accounts.app(base, suite.app),
        "created_at": iso(suite.created_at),
        "updated_at": iso(suite.updated_at),
    }


def suite_in_delivery(base: str, repository: Repository, suite: CheckSuite, head_commit: Json) -> Json:
    """A suite as its own delivery carries it. `head_commit` as `code.simple_commit` gives it."""
    runs = sum(run.suite is suite for run in repository.check_runs.values())
    url = f"{accounts.api_of(base, repository)}/check-suites/{suite.id}"
    return {
        **suite_in_check_run(base, repository, suite),
        "rerequestable": suite.rerequestable,
        "runs_rerequestable": True,
        "latest_check_runs_count": runs,
        "check_runs_url": f"{url}/check-runs",
        "head_commit": head_commit,
    }


def check_suite(base: str, repository: Repository, suite: CheckSuite, head_commit: Json) -> Json:
    """A suite asked for by id or listed."""
    return {
        **suite_in_delivery(base, repository, suite, head_commit),
        "repository": accounts.minimal_repository(base, repository),
    }


def deployment(base: str, repository: Repository, one: Deployment) -> Json:
    """One deployment."""
    api = accounts.api_of(base, repository)
    return {
        "url": f"{api}/deployments/{one.id}",
        "id": one.id,
        "node_id": node_id("DE", one.id),
        "task": one.task,
        "original_environment": one.original_environment,
        "environment": one.environment,
        "description": one.description,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.statuses[-1].created_at if one.statuses else one.created_at),
        "statuses_url": f"{api}/deployments/{one.id}/statuses",
        "repository_url": api,
        "creator": accounts.user(base, one.creator),
        "sha": one.sha,
        "ref": one.ref,
        "payload": one.payload,
        "transient_environment": one.transient,
        "production_environment": one.production,
        "performed_via_github_app": accounts.app(base, one.app) if one.app else None,
    }


def deployment_status(base: str, repository: Repository, of: Deployment, one: DeploymentStatus) -> Json:
    """One status of a deployment."""
    api = accounts.api_of(base, repository)
    return {
        "url": f"{api}/deployments/{of.id}/statuses/{one.id}",
        "id": one.id,
        "node_id": node_id("DES", one.id),
        "state": one.state,
        "creator": accounts.user(base, one.creator),
        "description": one.description,
        "environment": one.environment,
        "target_url": one.target_url or one.log_url,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "deployment_url": f"{api}/deployments/{of.id}",
        "repository_url": api,
        "environment_url": one.environment_url,
        "log_url": one.log_url or one.target_url,
        "performed_via_github_app": accounts.app(base, of.app) if of.app else None,
    }


def commit_status(base: str, repository: Repository, one: CommitStatus) -> Json:
    """One commit status."""
    return {
        "url": f"{accounts.api_of(base, repository)}/statuses/{one.sha}",
        "avatar_url": f"{base}/avatars/u/{one.creator.id}?v=4",
        "id": one.id,
        "node_id": node_id("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "creator": accounts.user(base, one.creator),
    }


def combined_status(base: str, repository: Repository, sha: str, newest: list[CommitStatus], page: list[Json]) -> Json:
    """All contexts of a commit as one state: failure wins, then pending; no context at all is pending."""
    states = {one.state for one in newest}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    api = accounts.api_of(base, repository)
    return {
        "state": state,
        "statuses": page,
        "sha": sha,
        "total_count": len(newest),
        "repository": accounts.minimal_repository(base, repository),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }
