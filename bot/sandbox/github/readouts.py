"""Writes what happened in the simulated GitHub as plain JSON for people and for scripts."""

from dataclasses import asdict
from typing import Any

from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Request
from bot.sandbox.github.model import CheckRun, Comment, Deployment, Issue, Repository, iso
from bot.sandbox.github.simulator import GitHubSandbox

Json = dict[str, Any]


async def state(github: GitHubSandbox, repo: str | None = None) -> Json:
    """Everything in one repository, or in all."""
    chosen = [github.repository(repo)] if repo else list(github.hub.world.repositories.values())
    return {"repositories": [await repository(one) for one in chosen]}


async def repository(one: Repository) -> Json:
    """A repository with its branches, pull requests, comments, checks and deployments."""
    heads = await one.git.refs("refs/heads/")
    return {
        "id": one.id,
        "name": one.full_name,
        "private": one.private,
        "default_branch": one.default_branch,
        "fork_of": one.parent.full_name if one.parent else None,
        "branches": {name.removeprefix("refs/heads/"): sha for name, sha in heads.items()},
        "roles": dict(one.roles),
        "issues": [issue(each) for each in one.issues.values()],
        "comments": [comment(each) for each in one.comments.values()],
        "checks": [check(each) for each in one.check_runs.values()],
        "deployments": [deployment(each) for each in one.deployments.values()],
    }


def issue(one: Issue) -> Json:
    """An issue or a pull request."""
    shape = {"number": one.number, "title": one.title, "state": one.state, "by": one.user.login}
    if one.pull:
        head = {"head": f"{one.pull.head_owner.login}:{one.pull.head_ref}", "head_sha": one.pull.head_sha}
        shape |= {**head, "base": one.pull.base_ref, "merged": one.pull.merged, "draft": one.pull.draft}
    return shape


def comment(one: Comment) -> Json:
    """A comment with the emoji on it."""
    reactions = [f"{each.content} by {each.user.login}" for each in one.reactions]
    return {"id": one.id, "on": one.number, "by": one.user.login, "body": one.body, "reactions": reactions}


def check(run: CheckRun) -> Json:
    """A check run with all the states it went through."""
    return {
        "id": run.id,
        "name": run.name,
        "sha": run.head_sha,
        "state": run.state,
        "history": run.history,
        "title": run.title,
        "summary": run.summary,
        "text": run.text,
        "details_url": run.details_url,
        "external_id": run.external_id,
        "buttons": run.actions,
        "annotations": run.annotations,
    }


def deployment(one: Deployment) -> Json:
    """A deployment with its statuses, oldest first."""
    statuses = [
        {
            "state": each.state,
            "description": each.description,
            "environment_url": each.environment_url,
            "log_url": each.log_url,
            "at": iso(each.created_at),
        }
        for each in one.statuses
    ]
    facts = {"id": one.id, "sha": one.sha, "ref": one.ref, "environment": one.environment, "state": one.state}
    more = {"transient": one.transient, "production": one.production, "payload": one.payload}
    return {**facts, **more, "by": one.creator.login, "statuses": statuses}


def delivery(one: Delivery) -> Json:
    """A delivery without its payload."""
    return {
        "id": one.id,
        "guid": one.guid,
        "event": one.event,
        "action": one.action,
        "status": one.status,
        "status_code": one.status_code,
        "redelivery": one.redelivery,
        "duration_s": one.duration_s,
        "delivered_at": iso(one.delivered_at),
    }


def request(one: Request) -> Json:
    """A line of the request log."""
    return asdict(one)
