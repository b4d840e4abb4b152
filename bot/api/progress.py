"""How the API names where a deployment stands: the states it went through, and what its failure is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.model import STATE_OF_STAGE, Event, EventType, Job, JobState, Stage

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
