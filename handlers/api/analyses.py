"""`/api/v1/analyses`: ask who wrote what in repositories, see how far it is, read or download the report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot import messages
from bot.api.forms import checked
from bot.desk.asking import MOST_REPOSITORIES, Asking, Question
from bot.errors import Refused, UserMistake
from bot.grammar import REF
from bot.jobs.analysis.submit import Submit
from bot.links import Links
from bot.model import Job, JobKind, JobState, Origin
from bot.store.analyses import Analyses
from bot.store.jobs import JobFilter, Jobs
from handlers.api.analysis_data import job_data
from handlers.api.bodies import read_body
from handlers.api.contributions import contributions_to
from handlers.api.dates import DATE, day
from handlers.api.envelope import success
from handlers.api.gateway import CALLER, LANGUAGE
from handlers.api.reach import limits_of, repository_of, seen_by, sees_job

NAME = {"type": "string", "minLength": 1, "maxLength": 500}
AUTHORS = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 200}, "maxItems": 50}
ASK = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "repo": NAME,
        "repos": {"type": "array", "items": NAME, "minItems": 1, "maxItems": MOST_REPOSITORIES},
        "owner": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9-]{0,38}$"},
        "ref": {"type": "string", "pattern": REF.pattern.replace(r"\A", "^").replace(r"\Z", "$")},
        "authors": AUTHORS,
        "since": DATE,
        "until": DATE,
        "token": {"type": "string", "minLength": 1, "maxLength": 500},
        **{name: {"type": "boolean"} for name in ("allFiles", "merges", "withoutBots", "ignoreRevs", "quality")},
    },
}
LIST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "repo": NAME,
        "before": {"type": "string", "maxLength": 40},
        "limit": {"type": "string", "pattern": "^([1-9][0-9]?|100)$"},
    },
}
SUBJECTS = ("repo", "repos", "owner")
SHORT_FORMS = frozenset({"/analyze", "/results"})

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class AnalysesApi:
    """What these routes need."""

    asking: Asking
    submit: Submit
    jobs: Jobs
    analyses: Analyses
    links: Links


API: web.AppKey[AnalysesApi] = web.AppKey("analyses api")


@routes.post("/api/v1/analyses")
@routes.post("/analyze")
async def ask(request: web.Request) -> web.Response:
    """Take an analysis on. 201 with its id; 200 when the same one is under way already."""
    api, language = request.app[API], request[LANGUAGE]
    plan = await api.asking.plan(question_of(await read_body(request, ASK)), seen_by(request))
    caller = request[CALLER]
    origin = Origin("api", caller.name if caller else "", plan.targets[0].installation_id)
    try:
        job, is_new = await api.submit.submit(plan, origin)
    except Refused:
        await api.asking.forget(plan)
        raise
    word, status = ("api.analysis_taken", 201) if is_new else ("api.analysis_known", 200)
    data = job_data(job, api.links)
    return success(data, messages.say(language, word), status, Location=data["links"]["self"])


@routes.get("/api/v1/analyses")
async def listed(request: web.Request) -> web.Response:
    """The newest first, of all repositories or of one, a page at a time."""
    api = request.app[API]
    query = checked(dict(request.query), LIST, "invalid_query")
    limit = int(query.get("limit", 20))
    repository = await repository_of(api.jobs, query.get("repo"))
    which = JobFilter(
        repository=repository,
        kind=JobKind.ANALYSIS,
        within=limits_of(request),
        before=query.get("before"),
        limit=limit + 1,
    )
    found = await api.jobs.find(which)
    items = [job_data(job, api.links) for job in found[:limit] if sees_job(request, job)]
    data = {"analyses": items, "next": found[limit - 1].id if len(found) > limit else None}
    return success(data, messages.say(request[LANGUAGE], "api.analysis_found"))


@routes.get("/api/v1/analyses/{id}")
async def show(request: web.Request) -> web.Response:
    """Where it stands, and the report once it is there."""
    job = await _named(request, request.match_info["id"])
    return success(await _all_of(request, job), messages.say(request[LANGUAGE], "api.analysis_found"))


@routes.post("/api/v1/analyses/{id}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """Stop it. 409 when it is over."""
    api, caller = request.app[API], request[CALLER]
    job = await _named(request, request.match_info["id"])
    asked = await api.submit.cancel(job, caller.name if caller else "")
    return success(job_data(asked, api.links), messages.say(request[LANGUAGE], "api.analysis_cancelled"))


@routes.get("/api/v1/analyses/{id}/{form:json|csv|html}")
async def download(request: web.Request) -> web.Response:
    """The report alone, as a file. 409 before it is there."""
    api, job = request.app[API], await _named(request, request.match_info["id"])
    from handlers.api.analysis_reports import job_file

    kept = await api.analyses.of_job(job.id) if job.state is JobState.COMPLETED else []
    file = await asyncio.to_thread(job_file, job, kept, request.match_info["form"], request[LANGUAGE])
    if file is None:
        raise Refused("analysis_not_done", state=job.state.value)
    return file


@routes.get("/results")
async def results(request: web.Request) -> web.Response:
    """The short form: `?id=` shows an analysis, `?repo=` who wrote what there."""
    if analysis := request.query.get("id"):
        job = await _named(request, analysis)
        return success(await _all_of(request, job), messages.say(request[LANGUAGE], "api.analysis_found"))
    if "repo" not in request.query:
        raise UserMistake("invalid_query", fields=[{"field": "repo", "rule": "required"}])
    return await contributions_to(request, request.query["repo"])


def question_of(body: Mapping[str, Any]) -> Question:
    """What a body asks. Raises UserMistake("invalid_body") where it names no repository, or in two ways."""
    named = [name for name in SUBJECTS if name in body]
    if len(named) != 1:
        rule = {"field": "repo", "rule": "required"}
        raise UserMistake("invalid_body", fields=[rule])
    return Question(
        repositories=tuple(dict.fromkeys([body["repo"]] if "repo" in body else body.get("repos", ()))),
        owner=body.get("owner", ""),
        ref=body.get("ref"),
        authors=tuple(body.get("authors", ())),
        since=day(body, "since", "invalid_body"),
        until=day(body, "until", "invalid_body"),
        token=body.get("token", ""),
        all_files=body.get("allFiles", False),
        merges=body.get("merges", False),
        without_bots=body.get("withoutBots", False),
        ignore_revs=body.get("ignoreRevs", False),
        quality=body.get("quality", False),
    )


async def _named(request: web.Request, analysis: str) -> Job:
    job = await request.app[API].jobs.get(analysis)
    if job is None or job.kind is not JobKind.ANALYSIS or not sees_job(request, job):
        raise Refused("analysis_not_found", analysis=messages.neutral(analysis, 40))
    return job


async def _all_of(request: web.Request, job: Job) -> dict[str, Any]:
    from handlers.api.analysis_reports import findings

    api = request.app[API]
    data = job_data(job, api.links, await api.jobs.story(job.id))
    kept = await api.analyses.of_job(job.id)
    return {**data, **(await asyncio.to_thread(findings, job, kept))}
