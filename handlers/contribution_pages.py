"""`/repos/{owner}/{repo}`: who wrote what, as a page; and the picture of an analysis. For a signed link or a key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot import messages
from bot.api.envelopes import status_of
from bot.clock import Clock
from bot.desk.reach import Sees, everything
from bot.errors import ShipmateError
from bot.jobs.analysis.reports.ranges import Range
from bot.links import Links
from bot.store.analyses import Analyses, StoredAnalysis
from bot.store.keys import ApiKey, ApiKeys
from handlers.api.contributions import newest, query_of
from handlers.api.dates import day
from handlers.api.keys import key_of
from handlers.refusals import closed

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
    sees: Sees = everything
    if not pages.links.holds_repository(name, request.query.get("link", "")):
        sees = (await _require_key(request)).sees
    try:
        return await _page(request, name, sees)
    except ShipmateError as error:
        return _refusal(request, error)


@routes.get("/jobs/{id}/picture.{form:svg|png}")
async def show_picture(request: web.Request) -> web.Response:
    """Languages over time and lines by author, for those whom the job's link lets in."""
    pages, job_id, query = request.app[PAGES], request.match_info["id"], request.query
    sees: Sees = everything
    if not pages.links.holds(job_id, query.get("until", ""), query.get("sig", "")):
        sees = (await _require_key(request)).sees
    kept = await pages.analyses.of_job(job_id)
    if len(kept) != 1 or not sees(kept[0].repository):
        raise web.HTTPNotFound(text=messages.say(pages.locale, "page.not_found"))
    form = request.match_info["form"]
    headers = {**HEADERS, "Cache-Control": f"private, max-age={PICTURE_LIFE_S}", "Content-Security-Policy": NO_SCRIPTS}
    drawn = await asyncio.to_thread(_drawn, kept[0], form, pages.locale)
    return web.Response(body=drawn, content_type=PICTURES[form], headers=headers)


async def _page(request: web.Request, name: str, sees: Sees) -> web.Response:
    from bot.jobs.analysis.reports.stored import narrowed
    from bot.web import contribution_page
    from handlers.api import analysis_reports as reports

    pages, query = request.app[PAGES], query_of(request)
    within = Range(day(query, "since", "invalid_query"), day(query, "until", "invalid_query"))
    kept = await newest(pages.analyses, name, query.get("ref"), sees)
    whole = await asyncio.to_thread(reports.read, kept, Range(), ())
    chosen = narrowed(whole, within, query["author"])
    if "format" in query:
        return reports.report_file(chosen, query["format"], pages.locale)
    text = await asyncio.to_thread(contribution_page.render, chosen, whole, _asked(request), kept.body, pages.locale)
    return _html(text)


def _refusal(request: web.Request, error: ShipmateError) -> web.Response:
    """Why there is nothing to show, where the reader can choose otherwise."""
    from bot.web import contribution_page

    locale = request.app[PAGES].locale
    why = messages.failure(locale, error.code, error.facts)
    return _html(contribution_page.render_refusal(why, _asked(request), locale), status_of(error))


def _asked(request: web.Request) -> Asked:
    from bot.web.contribution_page import Asked

    return Asked(request.path, **{name: request.query.get(name, "") for name in CHOICES})


def _html(text: str, status: int = 200) -> web.Response:
    from bot.web.contribution_page import security_policy

    headers = {**HEADERS, "Content-Security-Policy": security_policy()}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _drawn(kept: StoredAnalysis, form: str, locale: str) -> bytes:
    from bot.jobs.analysis.faces.chart import draw_png, draw_svg
    from bot.jobs.analysis.reports.stored import from_store

    report = from_store(kept.body)
    return draw_png(report) if form == "png" else draw_svg(report, locale).encode()


async def _require_key(request: web.Request) -> ApiKey:
    """The key that is shown. Raises HTTPForbidden where none holds."""
    pages = request.app[PAGES]
    key = await key_of(request.headers, pages.keys, pages.clock())
    if key is None:
        raise closed(request, pages.locale)
    return key
