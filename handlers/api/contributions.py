"""`/api/v1/repos/{owner}/{repo}/contributions`: who wrote what there, by the newest analysis of a ref."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot import messages
from bot.api.envelopes import when
from bot.api.forms import checked
from bot.desk.reach import Sees
from bot.errors import Refused
from bot.jobs.analysis.reports.ranges import Range
from bot.store.analyses import Analyses, StoredAnalysis
from handlers.api.dates import DATE, day
from handlers.api.envelope import success
from handlers.api.gateway import LANGUAGE
from handlers.api.reach import seen_by

QUERY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "repo": {"type": "string", "minLength": 1, "maxLength": 500},
        "ref": {"type": "string", "minLength": 1, "maxLength": 255},
        "since": DATE,
        "until": DATE,
        "author": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 200}, "maxItems": 50},
        "format": {"enum": ["json", "csv", "html"]},
    },
}

ANALYSES: web.AppKey[Analyses] = web.AppKey("analyses")

routes = web.RouteTableDef()


@routes.get("/api/v1/repos/{owner}/{repo}/contributions")
async def contributions(request: web.Request) -> web.Response:
    """The report of a ref (the default branch's without one), of a range of days and some authors."""
    path = request.match_info
    return await contributions_to(request, f"{path['owner']}/{path['repo']}")


async def contributions_to(request: web.Request, repository: str) -> web.Response:
    """The same for a repository named otherwise. Raises Refused("nothing_analysed"), UserMistake("invalid_query")."""
    from handlers.api import analysis_reports as reports

    query = query_of(request)
    within = Range(day(query, "since", "invalid_query"), day(query, "until", "invalid_query"))
    kept = await newest(request.app[ANALYSES], repository, query.get("ref"), seen_by(request))
    report = await asyncio.to_thread(reports.read, kept, within, query["author"])
    if "format" in query:
        return reports.report_file(report, query["format"], request[LANGUAGE])
    data = {
        "repo": report.repository,
        "ref": kept.ref,
        "sha": kept.sha,
        "analysisId": kept.job_id,
        "analysedAt": when(kept.made_at),
        "report": reports.report_json(report),
        **reports.beside(kept),
    }
    return success(data, messages.say(request[LANGUAGE], "api.contributions_found"))


def query_of(request: web.Request) -> Mapping[str, Any]:
    """What is asked; several authors come as several `author=`. Empty fields, as a form sends them, ask nothing."""
    given = {name: value for name, value in request.query.items() if value and name != "link"}
    authors = [name for name in request.query.getall("author", []) if name]
    return checked({**given, "author": authors}, QUERY, "invalid_query")


async def newest(analyses: Analyses, repository: str, ref: str | None, sees: Sees) -> StoredAnalysis:
    """The newest report of a ref. Raises Refused("nothing_analysed"), also for a repository the asker does not see."""
    kept = await analyses.newest(repository, ref) if sees(repository) else None
    if kept is None or not sees(kept.repository):
        shown = messages.neutral(repository, 120)
        raise Refused("nothing_analysed", repository=shown, ref=messages.neutral(ref or "HEAD", 120))
    return kept
