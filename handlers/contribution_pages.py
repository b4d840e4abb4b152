"""`/repos/{owner}/{repo}`: who wrote what, as a page; that of one analysis, and its picture. For a link or a key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from bot import messages
from bot.api.envelopes import status_of
from bot.clock import Clock
from bot.errors import ShipmateError
from bot.jobs.analysis.reports.ranges import Range
from bot.links import Links
from bot.model import Job
from bot.overview import is_about_one
from bot.store.analyses import Analyses, StoredAnalysis
from bot.store.jobs import Jobs
from bot.store.keys import ApiKeys
from handlers import admission
from handlers.api.contributions import newest, query_of
from handlers.api.dates import day
from handlers.refusals import missing

if TYPE_CHECKING:
    from bot.web.contribution_page import Asked

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
PICTURE_LIFE_S = 86_400
CHOICES = ("ref", "since", "until", "author", "link")
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class ContributionPages:
    """What the pages need."""

    analyses: Analyses
    jobs: Jobs
    keys: ApiKeys
    links: Links
    clock: Clock
    locale: str = "en"


PAGES: web.AppKey[ContributionPages] = web.AppKey("contribution pages")


@routes.get("/repos/{owner}/{repo}")
async def show_repository(request: web.Request) -> web.Response:
    """The page, or with `format=` a file, of the newest analysis. Who is not let in learns nothing."""
    pages = request.app[PAGES]
    name = f"{request.match_info['owner']}/{request.match_info['repo']}"
    visitor = await admission.to_contributions(request, pages, name)
    name = await admission.require_its_name(request, pages, pages.jobs, name, visitor)
    asked, around = _asked(request, name), _overview(visitor, name)
    try:
        kept = await newest(pages.analyses, name, query_of(request).get("ref"), visitor.sees)
        return await _page(request, kept, asked, around | await _job(pages, visitor, kept))
    except ShipmateError as error:
        return _refusal(request, asked, error, around)


@routes.get("/jobs/{id}/report")
async def show_report(request: web.Request) -> web.Response:
    """The same page of one analysis, for those whom its job's link lets in."""
    job, kept, visitor = await _analysed(request)
    asked = _asked(request, job.repository.full_name, is_one=True)
    around = {"job": visitor.to(f"/jobs/{job.id}")}
    if job.repository.id:
        around |= _overview(visitor, job.repository.full_name)
    try:
        return await _page(request, kept, asked, around)
    except ShipmateError as error:
        return _refusal(request, asked, error, around)


@routes.get("/jobs/{id}/picture.{form:svg|png}")
async def show_picture(request: web.Request) -> web.Response:
    """Languages over time and lines by author, for those whom the job's link lets in."""
    pages, form = request.app[PAGES], request.match_info["form"]
    _, kept, _ = await _analysed(request)
    headers = {**HEADERS, "Cache-Control": f"private, max-age={PICTURE_LIFE_S}", "Content-Security-Policy": NO_SCRIPTS}
    drawn = await asyncio.to_thread(_drawn, kept, form, pages.locale)
    return web.Response(body=drawn, content_type=PICTURES[form], headers=headers)


async def _analysed(request: web.Request) -> tuple[Job, StoredAnalysis, admission.Visitor]:
    """A job and what it found. Raises HTTPForbidden, HTTPNotFound also where it is about several repositories."""
    pages, job_id = request.app[PAGES], request.match_info["id"]
    job, visitor = await admission.to_job(request, pages, pages.jobs, job_id)
    kept = await pages.analyses.of_job(job_id)
    if len(kept) != 1:
        raise missing(request, pages.locale)
    return job, kept[0], visitor


def _overview(visitor: admission.Visitor, name: str) -> dict[str, str]:
    """The address of all of a repository, for those to whom it is open."""
    return {"overview": visitor.to(f"/repos/{quote(name)}/overview")} if visitor.sees_around else {}


async def _job(pages: ContributionPages, visitor: admission.Visitor, kept: StoredAnalysis) -> dict[str, str]:
    """That of the job which made a report, for the same, unless it tells of other repositories too."""
    job = await pages.jobs.get(kept.job_id) if visitor.sees_around else None
    return {"job": visitor.to(f"/jobs/{job.id}")} if job and is_about_one(job) else {}


async def _page(request: web.Request, kept: StoredAnalysis, asked: Asked, around: Mapping[str, str]) -> web.Response:
    from bot.jobs.analysis.reports.stored import narrowed
    from bot.web import contribution_page
    from handlers.api import analysis_reports as reports

    pages, query = request.app[PAGES], query_of(request)
    within = Range(day(query, "since", "invalid_query"), day(query, "until", "invalid_query"))
    whole = await asyncio.to_thread(reports.read, kept, Range(), ())
    chosen = narrowed(whole, within, query["author"])
    if "format" in query:
        return reports.report_file(chosen, query["format"], pages.locale)
    text = await asyncio.to_thread(contribution_page.render, chosen, whole, asked, kept.body, pages.locale, around)
    return _html(text)


def _refusal(request: web.Request, asked: Asked, error: ShipmateError, around: Mapping[str, str]) -> web.Response:
    """Why there is nothing to show, where the reader can choose otherwise."""
    from bot.web import contribution_page

    locale = request.app[PAGES].locale
    why = messages.failure(locale, error.code, error.facts)
    return _html(contribution_page.render_refusal(why, asked, locale, around), status_of(error))


def _asked(request: web.Request, name: str, is_one: bool = False) -> Asked:
    from bot.web.contribution_page import Asked

    given = {choice: request.query.get(choice, "") for choice in CHOICES}
    return Asked(request.path, name, **given, is_one=is_one)


def _html(text: str, status: int = 200) -> web.Response:
    from bot.web.contribution_page import security_policy

    headers = {**HEADERS, "Content-Security-Policy": security_policy()}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _drawn(kept: StoredAnalysis, form: str, locale: str) -> bytes:
    from bot.jobs.analysis.faces.chart import draw_png, draw_svg
    from bot.jobs.analysis.reports.stored import from_store

    report = from_store(kept.body)
    return draw_png(report) if form == "png" else draw_svg(report, locale).encode()
