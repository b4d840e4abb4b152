"""What one build on CodeBuild is: its phases, its end, and the image it made, as BatchGetBuilds tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aws.clients import AwsClients
from aws.errors import AwsRefusal
from bot.errors import Permanent
from bot.ports.images import BuildPhase

JOB_VARIABLE = "SHIPMATE_JOB"
DIGEST_VARIABLE = "IMAGE_DIGEST"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SOURCE = "DOWNLOAD_SOURCE"
"""The phase in which CodeBuild fetches the commit."""
SUCCEEDED, STOPPED, TIMED_OUT = "SUCCEEDED", "STOPPED", "TIMED_OUT"
_GOING = ("", "IN_PROGRESS")
_KEPT = 300
"""So many characters of a long reason's either end."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build as it is now; its log is in `group` and `stream` once it has one."""

    id: str
    status: str
    complete: bool
    job_id: str | None
    phases: tuple[BuildPhase, ...] = ()
    group: str | None = None
    stream: str | None = None
    url: str = ""
    exported: Mapping[str, str] = field(default_factory=dict)
    began_at: datetime | None = None

    @property
    def failed_phase(self) -> BuildPhase | None:
        """The first phase that did not succeed."""
        return next((phase for phase in self.phases if not phase.succeeded), None)


async def look_at(clients: AwsClients, ids: list[str]) -> list[Build]:
    """Those of up to 100 builds that are known.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html
    """
    if not ids:
        return []
    reply = await clients.call("codebuild", "BatchGetBuilds", ids=ids)
    return [read(told) for told in reply.get("builds", [])]


async def stop(clients: AwsClients, build_id: str) -> None:
    """Ask for its end, without waiting for it; one that is over or unknown is left alone. Repeatable.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html
    """
    try:
        await clients.call("codebuild", "StopBuild", id=build_id)
    except AwsRefusal:
        if any(not build.complete for build in await look_at(clients, [build_id])):
            raise


def read(told: Mapping[str, Any]) -> Build:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html"""
    logs, variables = told.get("logs", {}), told.get("environment", {}).get("environmentVariables", [])
    given = {one["name"]: one["value"] for one in variables}
    return Build(
        id=str(told["id"]),
        status=str(told["buildStatus"]),
        complete=bool(told.get("buildComplete")),
        job_id=given.get(JOB_VARIABLE),
        phases=tuple(_phase(one) for one in told.get("phases", []) if one.get("phaseStatus", "") not in _GOING),
        group=logs.get("groupName"),
        stream=logs.get("streamName"),
        url=str(logs.get("deepLink", "")),
        began_at=told.get("startTime"),
        exported={one["name"]: one.get("value", "") for one in told.get("exportedEnvironmentVariables", [])},
    )


def digest_of(build: Build) -> str:
    """The digest of the image that a build which is over made.

    Raises Permanent: "codebuild_failed" and "codebuild_source_failed" (phase, message), "codebuild_stopped",
    "codebuild_timed_out" and "codebuild_no_digest"; each with `build` and `url`.
    """
    where = {"build": build.id, "url": build.url}
    if build.status == STOPPED:
        raise Permanent("codebuild_stopped", **where)
    if build.status == TIMED_OUT:
        raise Permanent("codebuild_timed_out", **where)
    if build.status != SUCCEEDED:
        failed = build.failed_phase or BuildPhase("?", False, message=build.status)
        code = "codebuild_source_failed" if failed.name == SOURCE else "codebuild_failed"
        raise Permanent(code, phase=failed.name, message=failed.message, **where)
    digest = build.exported.get(DIGEST_VARIABLE, "")
    if not DIGEST.fullmatch(digest):
        raise Permanent("codebuild_no_digest", variable=DIGEST_VARIABLE, **where)
    return digest


def _phase(told: Mapping[str, Any]) -> BuildPhase:
    succeeded = told["phaseStatus"] == SUCCEEDED
    reasons = [
        f"{one.get('statusCode', '')}: {one['message']}" for one in told.get("contexts", []) if one.get("message")
    ]
    seconds = told.get("durationInSeconds")
    if seconds is None and isinstance(told.get("endTime"), datetime):
        seconds = (told["endTime"] - told["startTime"]).total_seconds()
    message = "" if succeeded else _shortened("; ".join(reasons) or str(told["phaseStatus"]))
    return BuildPhase(str(told["phaseType"]), succeeded, int(seconds or 0), message)


def _shortened(reason: str) -> str:
    """A command may be as long as the file it writes; how it begins and why it failed, at the end, are kept."""
    return reason if len(reason) <= 2 * _KEPT else f"{reason[:_KEPT]} … {reason[-_KEPT:]}"
