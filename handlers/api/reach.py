"""Decides what a request is told of: all that its key sees; a job's link lets in to that one job alone."""

from __future__ import annotations

from aiohttp import web

from bot.desk.reach import Sees, everything
from bot.model import Job, Repository
from bot.store.jobs import Jobs
from bot.store.keys import ApiKey
from handlers.api.gateway import CALLER


def seen_by(request: web.Request) -> Sees:
    """What a request to the API may be told of."""
    key = request[CALLER]
    return key.sees if key else everything


def limits_of(request: web.Request) -> tuple[str, ...]:
    """The repositories that lists are limited to; empty: none is left out."""
    key = request[CALLER]
    return key.repositories if key else ()


async def repository_of(jobs: Jobs, name: str | None) -> Repository | None:
    """What a list is of: the repository that is called so, or was; one without jobs where there is none."""
    if name is None:
        return None
    return await jobs.called(name) or Repository(0, name)


def sees_job(request: web.Request, job: Job) -> bool:
    """Whether a request to the API may be told of a job."""
    key = request[CALLER]
    return key is None or opens_job(key, job)


def opens_job(key: ApiKey, job: Job) -> bool:
    """Whether a key sees all repositories that a job is about."""
    return all(map(key.sees, [job.repository.full_name, *(target["name"] for target in job.spec.get("targets", ()))]))
