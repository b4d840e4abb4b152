"""GitHub deployments: which commit is in which environment. https://docs.github.com/en/rest/deployments"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.github import limits
from bot.github.client.client import Client
from bot.github.times import parsed

JOB = "job"
"""The key of the payload that holds the job's id, by which a deployment is found again."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as GitHub has it. `payload` is what its maker wrote, empty when that was not an object."""

    id: int
    sha: str
    ref: str
    environment: str
    payload: Mapping[str, Any]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """What shall be deployed. `transient`: the environment is thrown away later, as a preview is."""

    sha: str
    environment: str
    job_id: str
    description: str = ""
    transient: bool = False
    production: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """How a deployment goes: queued, pending, in_progress, success, failure, error or inactive."""

    state: str
    description: str = ""
    log_url: str = ""
    environment_url: str = ""
    auto_inactive: bool = True
    """Whether a success makes the environment's earlier deployments inactive. Not kept by GitHub."""


async def create_deployment(client: Client, new: NewDeployment) -> Deployment:
    """Make a new one of exactly this commit: nothing is merged, no other check is waited for.

    Raises Transient with `maybe_done` when the reply was lost: `ensure_deployment` looks then.
    """
    body = {
        "ref": new.sha,
        "task": "deploy",
        "auto_merge": False,
        "required_contexts": [],
        "environment": new.environment,
        "description": limits.one_line(new.description, limits.DEPLOYMENT_DESCRIPTION_CHARACTERS),
        "payload": {JOB: new.job_id},
        "transient_environment": new.transient,
        "production_environment": new.production,
    }
    return await client.call("POST /repos/{owner}/{repo}/deployments", _deployment, body=body)


async def ensure_deployment(client: Client, new: NewDeployment, *, look_first: bool = True) -> Deployment:
    """The deployment of this job, made when there is none. May be repeated."""
    return await client.once(
        lambda: find_deployment(client, new.sha, new.environment, new.job_id),
        lambda: create_deployment(client, new),
        look_first=look_first,
    )


async def find_deployment(client: Client, sha: str, environment: str, job_id: str) -> Deployment | None:
    """The deployment that a job made."""
    for deployment in await list_deployments(client, environment=environment, sha=sha):
        if deployment.payload.get(JOB) == job_id:
            return deployment
    return None


async def list_deployments(
    client: Client, *, environment: str | None = None, sha: str | None = None, most: int = 1000
) -> list[Deployment]:
    """Deployments, the newest first, at most `most`."""
    query = {"environment": environment, "sha": sha}
    return await client.listed("GET /repos/{owner}/{repo}/deployments", _deployment, query=query, most=most)


async def list_statuses(client: Client, deployment_id: int, most: int = 100) -> list[DeploymentStatus]:
    """A deployment's statuses, the newest first, at most `most`."""
    operation = "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses"
    return await client.listed(operation, _status, most=most, deployment_id=deployment_id)


async def add_status(
    client: Client, deployment_id: int, status: DeploymentStatus, *, look_first: bool = False
) -> DeploymentStatus:
    """Say how a deployment goes. After a lost reply the newest status tells whether it was said.

    `look_first` makes it harmless to say the same thing again, for one request more.
    """
    body = {
        "state": status.state,
        "description": limits.one_line(status.description, limits.DEPLOYMENT_DESCRIPTION_CHARACTERS),
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "auto_inactive": status.auto_inactive,
    }
    return await client.once(
        lambda: _said_last(client, deployment_id, body),
        lambda: client.call(
            "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
            _status,
            body=body,
            deployment_id=deployment_id,
        ),
        look_first=look_first,
    )


async def _said_last(client: Client, deployment_id: int, body: Mapping[str, Any]) -> DeploymentStatus | None:
    """The newest status, if it says what `body` would."""
    newest = await list_statuses(client, deployment_id, most=1)
    same = ("state", "description", "log_url", "environment_url")
    if newest and all(getattr(newest[0], name) == body[name] for name in same):
        return newest[0]
    return None


def _deployment(data: Any) -> Deployment:
    return Deployment(
        id=int(data["id"]),
        sha=str(data["sha"]),
        ref=str(data["ref"]),
        environment=str(data["environment"]),
        payload=_payload(data.get("payload")),
        created_at=parsed(data.get("created_at")),
    )


def _payload(given: Any) -> Mapping[str, Any]:
    """GitHub gives it back as it was written: an object, or a string that may hold one."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    return given if isinstance(given, dict) else {}


def _status(data: Any) -> DeploymentStatus:
    return DeploymentStatus(
        state=str(data["state"]),
        description=data.get("description") or "",
        log_url=data.get("log_url") or "",
        environment_url=data.get("environment_url") or "",
    )
