"""How the API shows a deployment: where it stands, each step with its time, its result, and its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from bot.links import Links
from bot.model import STATE_OF_STAGE, Event, EventType, Job, JobState, Stage
from handlers.api.envelope import when
from handlers.streaming import frame_of

ERROR_CODES: Mapping[str, str] = {
    "stage_timeout": "DEPLOYMENT_TIMEOUT",
    "job_timeout": "DEPLOYMENT_TIMEOUT",
    "health_check_failed": "HEALTH_CHECK_FAILED",
    "instance_ended": "HEALTH_CHECK_FAILED",
    "died_after_switch": "HEALTH_CHECK_FAILED",
    "unexpected_error": "UNEXPECTED_ERROR",
}
CODES_OF_STAGES: Mapping[int, str] = {
    Stage.BUILD: "DOCKER_BUILD_FAILED",
    Stage.START: "ECS_DEPLOYMENT_FAILED",
    Stage.LIFECYCLE: "ECS_DEPLOYMENT_FAILED",
    Stage.SWITCH: "HEALTH_CHECK_FAILED",
}
"""What a failure is called where its own code says nothing: by the stage it happened in."""
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


def walk(story: Sequence[Event]) -> Iterator[tuple[JobState, Event]]:
    """Each state a job went into, with the event that says so."""
    last: JobState | None = None
    for event in story:
        state = _state_after(event)
        if state is not None and state is not last:
            last = state
            yield state, event


def _state_after(event: Event) -> JobState | None:
    if event.type is EventType.JOB_QUEUED:
        return JobState.PENDING
    if event.type is EventType.JOB_STARTED:
        return JobState.PROCESSING
    if event.type is EventType.STAGE_STARTED and event.stage not in {None, Stage.BUILD}:
        return STATE_OF_STAGE[Stage(int(event.stage or 0))]
    given = event.details.get("state")
    return JobState(given) if given in {state.value for state in JobState} else None


def error_code(job: Job) -> str | None:
    """The published name of what went wrong, else ours in capitals; None while nothing did."""
    if job.error_code is None:
        return None
    by_stage = CODES_OF_STAGES.get(int(job.result.get("failedStage") or 0)) if job.state is JobState.FAILED else None
    return ERROR_CODES.get(job.error_code) or by_stage or job.error_code.upper()


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
