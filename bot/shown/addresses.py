"""Where to see more of a job than its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.links import Links
from bot.model import Job, JobKind


def addresses_of(job: Job, links: Links) -> Mapping[str, str]:
    """By name: an analysis has a report and a picture, in two forms."""
    if job.kind is not JobKind.ANALYSIS:
        return {}
    pictures = {form: links.picture(job.id, form) for form in ("svg", "png")}
    return {"report": links.repository(job.repository.full_name, **_chosen(job)), **pictures}


def _chosen(job: Job) -> dict[str, Any]:
    """The ref, the dates and the one author that were asked about, as the page of the report takes them."""
    dates = {name: job.spec[name] for name in ("since", "until") if job.spec.get(name)}
    authors = job.spec.get("authors", ())
    author = {"author": authors[0].removeprefix("@")} if len(authors) == 1 else {}
    return {"ref": job.ref, **dates, **author}
