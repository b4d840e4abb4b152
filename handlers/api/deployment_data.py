"""How the API shows a deployment: where it stands, each step with its time, its result, and its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from bot.api.envelopes import when
from bot.api.progress import error_code, walk
from bot.links import Links
from bot.model import Event, EventType, Job, JobState
from handlers.streaming import frame_of

MEASURED = ("blueLatencyMs", "greenLatencyMs", "blueErrorRate", "greenErrorRate")
TIMES = ("gitCloneDuration", "dockerBuildDuration", "ecrPushDuration", "deploymentDuration")


def deployment_data(job: Job, links: Links, story: Sequence[Event] = ()) -> dict[str, Any]:
    """One deployment; its steps where its events are given."""
    here = f"/api/v1/deploy/{job.id}"
    data = {
        "deploymentId": job.id,
        "status": job.state.value,
        "userId": job.origin.actor,
        **_subject(job),
        "environment": job.environment,
        **_times(job),
        "url": job.result.get("url"),
        "errorCode": error_code(job),
        "errorMessage": job.error_message,
    }
    if story:
        data["steps"] = [{"status": state.value, "at": when(event.at)} for state, event in walk(story)]
    shown = {"self": f"/api/v1/deployments/{job.id}", "events": f"{here}/events", "result": f"{here}/result"}
    return {**data, "links": {**shown, "page": links.job(job.id)}}


def result_data(job: Job, event_count: int) -> dict[str, Any]:
    """The result, every key present; what was not measured is null."""
    result = job.result
    times = result.get("metrics") or {}
    seconds = (job.ended_at - job.started_at).total_seconds() if job.ended_at and job.started_at else None
    return {
        "deploymentId": job.id,
        "status": job.state.value,
        **_subject(job),
        **_times(job),
        "durationSeconds": seconds,
        "finalService": result.get("finalService"),
        "blueUrl": result.get("blueUrl"),
        "greenUrl": result.get("greenUrl"),
        "errorMessage": job.error_message,
        "errorCode": error_code(job),
        **{name: result.get(name) for name in MEASURED},
        "eventCount": event_count,
        "newImageUri": result.get("newImageUri"),
        "metrics": {name: times.get(name) for name in TIMES},
    }


def event_frame(event: Event) -> bytes | None:
    """An event on the wire: `stage`, and `done` or `error` at the end. The log's lines and the queue are not told."""
    if event.type is EventType.JOB_ENDED:
        kind, details = _end(event)
    elif event.stage is not None and event.type is not EventType.LOG_WRITTEN:
        kind, details = "stage", {"stage": int(event.stage), **event.details}
    else:
        return None
    data = {"type": kind, "message": event.message, "details": details}
    return frame_of(event.seq, kind, orjson.dumps(data, default=str))


def _end(event: Event) -> tuple[str, dict[str, Any]]:
    known = event.details
    if known.get("state") == JobState.COMPLETED.value:
        urls = {"blueServiceUrl": known.get("blueUrl"), "greenServiceUrl": known.get("greenUrl")}
        return "done", {"totalDuration": known.get("durationSeconds"), **urls, **known}
    reason = known.get("error_message") or event.message
    return "error", {**known, "reason": reason, "failedStage": known.get("failedStage")}


def _subject(job: Job) -> dict[str, Any]:
    return {"owner": job.repository.owner, "repo": job.repository.name, "branch": job.ref, "sha": job.sha}


def _times(job: Job) -> dict[str, Any]:
    return {
        "createdAt": when(job.created_at),
        "startedAt": when(job.started_at),
        "completedAt": when(job.ended_at),
    }
