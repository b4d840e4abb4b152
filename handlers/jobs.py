"""`/jobs/{id}`: the page of a job, its live events (SSE) and its raw log, for those a link or a key lets in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from aiohttp import web

from bot import messages
from bot.clock import Clock
from bot.errors import Transient
from bot.line import place_of
from bot.links import Links
from bot.model import Event, EventType, Job, JobKind
from bot.shown.titles import said_of, title_of
from bot.shown.view import JobView, StageState, StageView, see
from bot.store.jobs import Jobs
from bot.store.keys import ApiKeys
from bot.web.at_github import AtGitHub
from bot.web.job_page import CONTENT_SECURITY_POLICY, render, tone
from handlers import admission
from handlers.streaming import PAGE, Watch, follow, frame_of

OF_CONSENT = frozenset({EventType.JOB_HELD, EventType.JOB_APPROVED, EventType.JOB_RELEASED})
"""Events that change what is said of a job, and say too little themselves."""

log = logging.getLogger("shipmate.web")

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
    pages = request.app[PAGES]
    job, visitor = await admission.to_job(request, pages, pages.jobs, request.match_info["id"])
    place = await place_of(pages.jobs, job, pages.clock())
    addresses = {"report": visitor.to(f"/jobs/{job.id}/report")} if job.kind is JobKind.ANALYSIS else {}
    view = see(job, await pages.jobs.story(job.id), "", place=place, addresses=addresses)
    text = render(view, pages.locale, urlencode(visitor.let_in), _repository(pages, job, visitor), pages.github)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@routes.get("/jobs/{id}/log")
async def raw_log(request: web.Request) -> web.StreamResponse:
    """Every line kept of the log, as plain text; one that could not be read to its end is cut, and seen to be."""
    pages, job = request.app[PAGES], await _admitted(request)
    events = await pages.jobs.events(job.id, 0, PAGE)
    reply = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"})
    await reply.prepare(request)
    try:
        while events:
            await reply.write(_lines(events))
            events = await pages.jobs.events(job.id, events[-1].seq, PAGE)
    except Transient as busy:
        log.warning("a log was cut", extra={"job": job.id, "code": busy.code})
        if request.transport is not None:
            request.transport.abort()
        return reply
    await reply.write_eof()
    return reply


def _lines(events: Sequence[Event]) -> bytes:
    """The log's lines among the events, each ended."""
    lines = [line for e in events if e.type is EventType.LOG_WRITTEN for line in e.details["lines"]]
    return "".join(f"{line}\n" for line in lines).encode()


@routes.get("/jobs/{id}/events")
async def follow_job(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the history after `Last-Event-ID`, then what happens, each once; closes after the end."""
    pages, job = request.app[PAGES], await _admitted(request)
    return await follow(request, pages.jobs, pages.watch(), job, lambda event: _frame(pages, job.id, event))


async def _admitted(request: web.Request) -> Job:
    """The job, when the link or the key lets the reader in."""
    pages = request.app[PAGES]
    job, _ = await admission.to_job(request, pages, pages.jobs, request.match_info["id"])
    return job


def _repository(pages: JobPages, job: Job, visitor: admission.Visitor) -> str:
    """Where its repository's name leads: to all of it, where that is open; empty for one that is not at GitHub."""
    if not job.repository.id:
        return ""
    name = job.repository.full_name
    return visitor.to(f"/repos/{quote(name)}/overview") if visitor.sees_around else pages.github.repository(name)


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
