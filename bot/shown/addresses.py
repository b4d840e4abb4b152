"""Where to see more of a job than its page."""

from __future__ import annotations

from collections.abc import Mapping

from bot.links import Links
from bot.model import Job, JobKind


def addresses_of(job: Job, links: Links) -> Mapping[str, str]:
    """By name: an analysis has a report and a picture, in two forms."""
    if job.kind is not JobKind.ANALYSIS:
        return {}
    pictures = {form: links.picture(job.id, form) for form in ("svg", "png")}
    return {"report": links.repository(job.repository.full_name, ref=job.ref), **pictures}
