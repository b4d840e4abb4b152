"""The order of a build that the platform does: the same bytes for the same job, whoever places it first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.inspect.buildspec import buildspec
from bot.inspect.model import AppPlan
from bot.jobs.deploy.plan import image_labels, image_repository, image_tag
from bot.model import Job
from bot.ports.images import RemoteOrder


def remote_order(
    job: Job,
    app: AppPlan,
    *,
    dockerfile: str,
    context: str,
    files: Mapping[str, str],
    build_args: Mapping[str, str],
    source: str,
    settings: Mapping[str, Any],
) -> RemoteOrder:
    """`files` (path → text) are written into the checkout first; `source` is where the commit is cloned from."""
    written = buildspec(
        app, dockerfile=dockerfile, context=context, build_args=build_args, labels=image_labels(job), files=files
    )
    return RemoteOrder(
        job_id=job.id,
        repository=job.repository.full_name,
        source=source,
        sha=job.sha,
        buildspec=written,
        image_repository=image_repository(job),
        tag=image_tag(job),
        settings=dict(settings),
        about=app.framework or app.language or "",
        asked_at_s=job.created_at.timestamp(),
    )
