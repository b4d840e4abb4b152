"""Decides what a request is told of: all that its key sees; a job's link lets in to that one job alone."""

from __future__ import annotations

from aiohttp import web

from bot.desk.reach import Sees, everything
from bot.model import Job
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


def sees_job(request: web.Request, job: Job) -> bool:
    """Whether a request to the API may be told of a job."""
    key = request[CALLER]
    return key is None or opens_job(key, job)


def opens_job(key: ApiKey, job: Job) -> bool:
    """Whether a key sees all repositories that a job is about."""
    return all(map(key.sees, [job.repository.full_name, *(target["name"] for target in job.spec.get("targets", ()))]))
