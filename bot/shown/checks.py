"""What the check run of a job is called: the name that branch protection may require."""

from __future__ import annotations

from bot.model import Job, JobKind


def check_name(job: Job) -> str:
    """`shipmate / deploy`, with the environment where it is not production; a rehearsal passes for no deployment."""
    kind = JobKind.DEPLOY if job.kind is JobKind.ROLLBACK else job.kind
    rehearsal = " --noop" if job.spec.get("noop") else ""
    return f"{named_check(kind, job.environment)}{rehearsal}"


def named_check(kind: JobKind, environment: str) -> str:
    """What branch protection can require: the check run's name for one environment."""
    suffix = "" if environment in {"production", ""} else f" ({environment})"
    return f"shipmate / {kind.value}{suffix}"
