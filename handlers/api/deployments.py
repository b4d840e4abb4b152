"""`/api/v1/deployments`: ask for a deployment, see how far it is, follow its events, read its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot import messages
from bot.api.asked import asked_data
from bot.api.forms import ASK, NAMED_ENVIRONMENT, REPO, checked
from bot.asked import Asked, AskedTable
from bot.desk.programs import ProgramDesk
from bot.errors import Refused
from bot.links import Links
from bot.model import JOB_ID, Job, JobKind, JobState
from bot.store.jobs import JobFilter, Jobs
from handlers.api.bodies import read_body
from handlers.api.deployment_data import deployment_data, event_frame, result_data
from handlers.api.envelope import success
from handlers.api.gateway import LANGUAGE
from handlers.api.reach import limits_of, repository_of, seen_by, sees_job
from handlers.streaming import Watch, follow

LIST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "repo": REPO,
        "environment": NAMED_ENVIRONMENT,
        "status": {"enum": [state.value for state in JobState]},
        "kind": {"enum": [JobKind.DEPLOY.value, JobKind.ROLLBACK.value]},
        "before": {"type": "string", "maxLength": 40},
        "limit": {"type": "string", "pattern": "^([1-9][0-9]?|100)$"},
    },
}
KINDS = (JobKind.DEPLOY, JobKind.ROLLBACK)
SHORT_FORMS = frozenset({"/deployments"})

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class DeploymentsApi:
    """What these routes need. `watch()` gives each reader a wait for what changes in the store.

    `asked` has deployments that were asked for in the table, before there is a job of them.
    """

    desk: ProgramDesk
    jobs: Jobs
    links: Links
    watch: Callable[[], Watch]
    asked: AskedTable | None = None


API: web.AppKey[DeploymentsApi] = web.AppKey("deployments api")


@routes.post("/deployments")
@routes.post("/api/v1/deployments")
async def ask(request: web.Request) -> web.Response:
    """Take a deployment on for a person who may deploy. 201 with the new deployment, which is PENDING."""
    api, body = request.app[API], await read_body(request, ASK)
    sees = seen_by(request)
    job = await api.desk.deploy(body["userId"], body["repo"], body["branch"], body.get("environment"), sees)
    data = deployment_data(job, api.links, await api.jobs.story(job.id))
    data = {**data, "status": JobState.PENDING.value, "steps": data["steps"][:1]}
    return success(data, messages.say(request[LANGUAGE], "api.deployment_taken"), 201, Location=data["links"]["self"])


@routes.get("/api/v1/deployments")
async def listed(request: web.Request) -> web.Response:
    """The newest first, a page at a time; `next` is the `before` of the page after."""
    api = request.app[API]
    query = checked(dict(request.query), LIST, "invalid_query")
    limit = int(query.get("limit", 20))
    repository = await repository_of(api.jobs, query.get("repo"))
    which = JobFilter(
        repository=repository,
        environment=query.get("environment"),
        kind=JobKind(query.get("kind", JobKind.DEPLOY)),
        states=(JobState(query["status"]),) if "status" in query else (),
        within=limits_of(request),
        before=query.get("before"),
        limit=limit + 1,
    )
    found = await api.jobs.find(which)
    items = [deployment_data(job, api.links) for job in found[:limit]]
    data = {"deployments": items, "next": found[limit - 1].id if len(found) > limit else None}
    return success(data, messages.say(request[LANGUAGE], "api.deployments_found"))


@routes.get("/api/v1/deployments/{id}")
async def show(request: web.Request) -> web.Response:
    """Where it stands, and each step with its time."""
    api, job = request.app[API], await _found(request)
    if job is not None:
        data = deployment_data(job, api.links, await api.jobs.story(job.id))
    else:
        data = asked_data(await _asked(request))
    return success(data, messages.say(request[LANGUAGE], "api.deployments_found"))


@routes.get("/api/v1/deploy/{id}/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: what happened, then what happens, each once; closes five seconds after the end."""
    api, job = request.app[API], await _named(request)

    async def told(event: Any) -> bytes | None:
        return event_frame(event)

    return await follow(request, api.jobs, api.watch(), job, told)


@routes.get("/api/v1/deploy/{id}/result")
async def result(request: web.Request) -> web.Response:
    """How it ended, and what was measured; while it runs, where it stands."""
    api = request.app[API]
    job = await _found(request)
    if job is None:
        raise Refused("deployment_result_not_found", deployment=request.match_info["id"][:40])
    data = result_data(job, await api.jobs.last_seq(job.id))
    return success(data, messages.say(request[LANGUAGE], "api.deployments_found"))


async def _named(request: web.Request) -> Job:
    job = await _found(request)
    if job is None:
        raise Refused("deployment_not_found", deployment=request.match_info["id"][:40])
    return job


async def _asked(request: web.Request) -> Asked:
    """One that the server has made no job of, or not yet. Raises Refused("deployment_not_found")."""
    table, named = request.app[API].asked, request.match_info["id"]
    asked = await table.get(named) if table is not None and JOB_ID.fullmatch(named) else None
    if asked is None or not seen_by(request)(asked.found.repository.full_name if asked.found else asked.repo):
        raise Refused("deployment_not_found", deployment=named[:40])
    return asked


async def _found(request: web.Request) -> Job | None:
    """The deployment of that id; a job of another kind is none, nor one that the key does not see."""
    job = await request.app[API].jobs.get(request.match_info["id"])
    return job if job is not None and job.kind in KINDS and sees_job(request, job) else None
