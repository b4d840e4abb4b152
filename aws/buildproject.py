"""The CodeBuild project of a repository: the one the settings name, or one of ours, made where it is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aws import tags
from aws.clients import AwsClients
from aws.errors import AwsRefusal, unavailable
from aws.repeat import FIRST_PAUSE_S, settled, token
from bot.errors import Permanent
from bot.ports.images import RemoteOrder

_LONGEST_STEM = 120
_TAKEN = "ResourceAlreadyExistsException"
_NOT_KNOWN_YET = "sts:AssumeRole"
"""A role that was made a moment ago is not known everywhere: CodeBuild says that it may not take it on."""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """How builds run. `name`: a project that is there already and is taken as it is; None: one of our own.

    One of our own runs as `service_role`.
    """

    service_role: str = ""
    image: str = "aws/codebuild/standard:7.0"
    environment_type: str = "LINUX_CONTAINER"
    compute_type: str = "BUILD_GENERAL1_MEDIUM"
    timeout_minutes: int = 10
    name: str | None = None


SETTINGS: Mapping[str, str] = {
    "service_role": "service_role",
    "project": "name",
    "image": "image",
    "compute": "compute_type",
    "environment_type": "environment_type",
    "timeout": "timeout_minutes",
}
"""What the keys of an order's settings are here."""


def settings_of(order: RemoteOrder) -> ProjectSettings:
    """The order's settings. Raises Permanent("ecs_setting_missing", names): a project of ours needs a role.

    With `provision` among them that is made where it is not named.
    """
    given = {SETTINGS[name]: value for name, value in order.settings.items() if name in SETTINGS}
    if not given.get("service_role") and not given.get("name") and not order.settings.get("provision"):
        raise Permanent("ecs_setting_missing", names=["codebuild.service_role"])
    return ProjectSettings(**given)


def project_name(settings: ProjectSettings, owner: str, repository: str) -> str:
    """The name given, else one that is the same for the repository's whole life and nobody else's."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", repository).strip("-")[:_LONGEST_STEM]
    return settings.name or f"shipmate-{stem}-{token(owner, repository)[:8]}"


async def ensured(
    clients: AwsClients, settings: ProjectSettings, owner: str, order: RemoteOrder, first_pause_s: float = FIRST_PAUSE_S
) -> str:
    """The project's name, once it is there and builds this very repository. Repeatable.

    Raises Permanent: "codebuild_project_missing" for a name given that is not there, "codebuild_project_taken" for one
    of our name without our tag, "codebuild_other_source" for one that builds something else.
    """
    name = project_name(settings, owner, order.repository)

    async def look() -> Mapping[str, Any] | None:
        found: list[Mapping[str, Any]] = (await clients.call("codebuild", "BatchGetProjects", names=[name]))["projects"]
        if settings.name and not found:
            raise Permanent("codebuild_project_missing", project=name)
        return found[0] if found else None

    async def make() -> Mapping[str, Any] | None:
        return await _made(clients, settings, owner, order, name)

    _require_right(await settled(look, make, first_pause_s), settings, owner, order)
    return name


async def _made(
    clients: AwsClients, settings: ProjectSettings, owner: str, order: RemoteOrder, name: str
) -> Mapping[str, Any] | None:
    """None where somebody was quicker; a second look tells who.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    """
    try:
        reply = await clients.call_once("codebuild", "CreateProject", **_wanted(settings, owner, order, name))
    except AwsRefusal as refusal:
        if refusal.aws_code == _TAKEN:
            return None
        if refusal.aws_code == "InvalidInputException" and _NOT_KNOWN_YET in refusal.message:
            raise unavailable("codebuild.CreateProject", refusal.message) from refusal
        raise
    made: Mapping[str, Any] = reply["project"]
    return made


def _wanted(settings: ProjectSettings, owner: str, order: RemoteOrder, name: str) -> dict[str, Any]:
    """Privileged, since images are built in it."""
    return {
        "name": name,
        "description": " · ".join(part for part in (order.repository, order.about) if part)[:255],
        "source": {
            "type": _source_type(order.source),
            "location": order.source,
            "buildspec": order.buildspec,
            "gitCloneDepth": 1,
        },
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {
            "type": settings.environment_type,
            "image": settings.image,
            "computeType": settings.compute_type,
            "privilegedMode": True,
        },
        "serviceRole": settings.service_role,
        "timeoutInMinutes": settings.timeout_minutes,
        "tags": tags.lower({tags.OWNER: owner, tags.REPOSITORY: order.repository}),
    }


def _source_type(address: str) -> str:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html"""
    return "GITHUB" if urlsplit(address).hostname == "github.com" else "GITHUB_ENTERPRISE"


def _require_right(project: Mapping[str, Any], settings: ProjectSettings, owner: str, order: RemoteOrder) -> None:
    ours = tags.read(project.get("tags") or []).get(tags.OWNER) == owner
    if not settings.name and not ours:
        raise Permanent("codebuild_project_taken", project=project["name"])
    builds = str(project["source"].get("location", ""))
    if _address(builds) != _address(order.source):
        raise Permanent("codebuild_other_source", project=project["name"], source=builds, repository=order.repository)


def _address(url: str) -> str:
    return url.lower().rstrip("/").removesuffix(".git")
