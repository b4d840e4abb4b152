"""How the API shows an analysis as a job: where it stands, how far it is, and where its report is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.api.envelopes import when
from bot.jobs.analysis.plan import AnalysisPlan
from bot.links import Links
from bot.model import Event, EventType, Job


def job_data(job: Job, links: Links, story: Sequence[Event] = ()) -> dict[str, Any]:
    """The data of one analysis without its report."""
    plan = AnalysisPlan.from_json(job.spec)
    seconds = (job.ended_at - job.started_at).total_seconds() if job.ended_at and job.started_at else None
    return {
        "analysisId": job.id,
        "status": job.state.value,
        "subject": plan.subject.value,
        "repo": plan.targets[0].name,
        "repos": [target.name for target in plan.targets],
        "ref": job.ref,
        "sha": job.sha or None,
        "createdAt": when(job.created_at),
        "startedAt": when(job.started_at),
        "completedAt": when(job.ended_at),
        "durationSeconds": seconds,
        "progress": _progress(story),
        "errorCode": job.error_code,
        "errorMessage": job.error_message,
        "links": _links(job, links),
    }


def _progress(story: Sequence[Event]) -> Mapping[str, Any] | None:
    """The newest counts that were told: commits, pairs of versions, files, each with how many in all."""
    for event in reversed(story):
        if event.type is EventType.STAGE_PROGRESSED and "analysis" in event.details:
            counts: Mapping[str, Any] = event.details["analysis"]
            return counts
    return None


def _links(job: Job, links: Links) -> dict[str, str]:
    here = f"/api/v1/analyses/{job.id}"
    files = {form: f"{here}/{form}" for form in ("json", "csv", "html")}
    return {"self": here, **files, "page": links.job(job.id)}
