"""`/jobs/{id}`: the page of a job, its live events (SSE) and its raw log, for those a link or a key lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from bot import messages
from bot.clock import Clock
from bot.line import place_of
from bot.links import Links
from bot.model import Event, EventType, Job
from bot.shown.addresses import addresses_of
from bot.shown.titles import said_of, title_of
from bot.shown.view import JobView, StageState, StageView, see
from bot.store.jobs import Jobs
from bot.store.keys import ApiKeys
from bot.web.at_github import AtGitHub
from bot.web.job_page import CONTENT_SECURITY_POLICY, render, tone
from handlers.api.keys import key_of
from handlers.api.reach import opens_job
from handlers.refusals import closed, missing
from handlers.streaming import PAGE, Watch, follow, frame_of

OF_CONSENT = frozenset({EventType.JOB_HELD, EventType.JOB_APPROVED, EventType.JOB_RELEASED})
"""Events that change what is said of a job, and say too little themselves."""

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class JobPages:
    """What the pages need. `watch()` gives each reader a wait for what changes in the store."""

    jobs: Jobs
    keys: ApiKeys
    links: Links
    clock: Clock
    watch: Callable[[], Watch]
    github: AtGitHub = field(default_factory=AtGitHub)
    locale: str = "en"


PAGES: web.AppKey[JobPages] = web.AppKey("job pages")


@routes.get("/jobs/{id}")
async def show_job(request: web.Request) -> web.Response:
    """The page, with all that is known now; the rest streams in."""
    pages, job = request.app[PAGES], await _admitted(request)
    place, links = await place_of(pages.jobs, job, pages.clock()), _links(request)
    view = see(job, await pages.jobs.story(job.id), "", place=place, addresses=addresses_of(job, links))
    overview = links.overview(job.repository.full_name)
    text = render(view, pages.locale, request.query_string, overview, pages.github)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@routes.get("/jobs/{id}/log")
async def raw_log(request: web.Request) -> web.StreamResponse:
    """Every line kept of the log, as plain text."""
    pages, job = request.app[PAGES], await _admitted(request)
    reply = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"})
    await reply.prepare(request)
    after = 0
    while events := await pages.jobs.events(job.id, after, PAGE):
        after = events[-1].seq
        lines = [line for e in events if e.type is EventType.LOG_WRITTEN for line in e.details["lines"]]
        if lines:
            await reply.write(("\n".join(lines) + "\n").encode())
    await reply.write_eof()
    return reply


@routes.get("/jobs/{id}/events")
async def follow_job(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the history after `Last-Event-ID`, then what happens, each once; closes after the end."""
    pages, job = request.app[PAGES], await _admitted(request)
    return await follow(request, pages.jobs, pages.watch(), job, lambda event: _frame(pages, job.id, event))


async def _admitted(request: web.Request) -> Job:
    """The job, when the link or the key lets the reader in. Who is not let in does not learn whether it exists."""
    pages, job_id, has_link = request.app[PAGES], request.match_info["id"], _has_link(request)
    key = None if has_link else await key_of(request.headers, pages.keys, pages.clock())
    if key is None and not has_link:
        raise closed(request, pages.locale)
    job = await pages.jobs.get(job_id)
    if job is None or (key is not None and not opens_job(key, job)):
        raise missing(request, pages.locale)
    return job


def _has_link(request: web.Request) -> bool:
    query = request.query
    return request.app[PAGES].links.holds(request.match_info["id"], query.get("until", ""), query.get("sig", ""))


def _links(request: web.Request) -> Links:
    """Makes the links on the page, which end with the one that let the reader in."""
    links = request.app[PAGES].links
    return links.until(int(request.query["until"])) if _has_link(request) else links


async def _frame(pages: JobPages, job_id: str, event: Event) -> bytes:
    name, data = await _told(pages, job_id, event)
    return frame_of(event.seq, name, orjson.dumps(data))


async def _told(pages: JobPages, job_id: str, event: Event) -> tuple[str, Mapping[str, Any]]:
    """The event's name and data as the page reads them."""
    if event.type is EventType.LOG_WRITTEN:
        return "log", {"stage": event.stage, "lines": event.details["lines"]}
    if event.type is EventType.JOB_ENDED:
        job = await pages.jobs.get(job_id)
        if job is not None:
            view = see(job, await pages.jobs.story(job.id), "")
            return "done", {**_state(pages, view), "stages": [_stage(pages, row) for row in view.stages]}
    if event.type in OF_CONSENT:
        job = await pages.jobs.get(job_id)
        if job is not None:
            return "state", _state(pages, see(job, await pages.jobs.story(job.id), ""))
    if event.stage is not None:
        return "stage", _stage_event(pages, event)
    return "state", {"title": event.message, "tone": "busy", "message": event.message}


def _state(pages: JobPages, view: JobView) -> dict[str, Any]:
    title, said = title_of(view, pages.locale), said_of(view, pages.locale)
    return {"title": title, "tone": tone(view.state), "message": said, "url": view.url}


def _stage(pages: JobPages, row: StageView) -> dict[str, Any]:
    told = {"stage": int(row.stage), "seconds": row.seconds, "note": row.note}
    return {**told, **_stage_state(pages, row.state)}


def _stage_state(pages: JobPages, state: StageState) -> dict[str, str]:
    return {"state": state.value, "word": messages.say(pages.locale, f"stage.state.{state.value}")}


def _stage_event(pages: JobPages, event: Event) -> dict[str, Any]:
    done = event.type is EventType.STAGE_FINISHED
    note = "" if event.type in {EventType.STAGE_STARTED, EventType.STAGE_FINISHED} else event.message.partition("] ")[2]
    return {
        "stage": event.stage,
        **_stage_state(pages, StageState.DONE if done else StageState.RUNNING),
        "seconds": event.details.get("durationSeconds"),
        "note": note,
        "message": event.message,
        "details": dict(event.details),
    }
