"""How the API shows what an analysis found: the published report, the sum of several, or a file to keep.

Loaded with the first report that somebody reads: it brings half of the analysis' library along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from aiohttp import web

from bot.api.envelopes import NO_STORE
from bot.jobs.analysis.faces.page import render_page
from bot.jobs.analysis.faces.portfolio_page import render_portfolio
from bot.jobs.analysis.faces.spreadsheet import csv_of
from bot.jobs.analysis.plan import AnalysisPlan
from bot.jobs.analysis.reports.portfolio import Portfolio, add_up
from bot.jobs.analysis.reports.ranges import Range
from bot.jobs.analysis.reports.report import Report
from bot.jobs.analysis.reports.stored import from_store, narrowed
from bot.jobs.analysis.skipped import from_kept
from bot.model import Job
from bot.store.analyses import StoredAnalysis

KINDS = {"json": "application/json", "csv": "text/csv", "html": "text/html"}


def findings(job: Job, kept: Sequence[StoredAnalysis]) -> dict[str, Any]:
    """What there is to tell beside the job: a change's owners, a report, or the sum of several; nothing before."""
    if "change" in job.result:
        return {"change": job.result["change"]}
    reports = reports_of(job, kept)
    if not reports:
        return {}
    if not is_portfolio(job):
        return {"report": report_json(reports[0]), **beside(kept[0])}
    portfolio = add_up(reports, from_kept(job.result.get("skipped", ())))
    return {"portfolio": portfolio.to_json(), "reports": [report_json(report) for report in reports]}


def reports_of(job: Job, kept: Sequence[StoredAnalysis]) -> list[Report]:
    """The reports as they were asked for; none before all are there."""
    plan = AnalysisPlan.from_json(job.spec)
    if len(kept) + len(job.result.get("skipped", ())) < len(plan.targets):
        return []
    return [read(one, plan.within, plan.authors) for one in kept]


def is_portfolio(job: Job) -> bool:
    """Whether it is about several repositories, however many of them have a report."""
    return len(AnalysisPlan.from_json(job.spec).targets) > 1


def read(kept: StoredAnalysis, within: Range, authors: Iterable[str]) -> Report:
    """A report, of a range of days and some authors; takes a moment for a large one."""
    return narrowed(from_store(kept.body), within, authors)


def report_json(report: Report) -> dict[str, Any]:
    """The published JSON, with the logins that are known."""
    published = report.to_json()
    for entry, author in zip(published["authors"], report.authors, strict=True):
        entry["login"] = report.login(author.author)
        entry["bot"] = author.author.is_bot
    return published


def beside(kept: StoredAnalysis) -> dict[str, Any]:
    """What is kept beside the report."""
    return {"quality": kept.body.get("quality"), "releases": kept.body.get("releases", [])}


def job_file(job: Job, kept: Sequence[StoredAnalysis], form: str, locale: str) -> web.Response | None:
    """A finished job's report as a file; of several repositories their sum, or as CSV the authors of each."""
    reports = reports_of(job, kept)
    if not reports:
        return None
    if is_portfolio(job):
        portfolio = add_up(reports, from_kept(job.result.get("skipped", ())))
        return _portfolio_file(portfolio, reports, form, f"portfolio-{job.id}", locale)
    return report_file(reports[0], form, locale)


def report_file(report: Report, form: str, locale: str) -> web.Response:
    """The report as `json`, `csv` or `html`, to download; the page speaks the reader's language."""
    name = f"{report.repository}-{report.head[:7]}"
    if form == "json":
        return _file(orjson.dumps(report_json(report)).decode(), form, name)
    return _file(csv_of(report) if form == "csv" else render_page(report, locale), form, name)


def _portfolio_file(portfolio: Portfolio, reports: Sequence[Report], form: str, name: str, locale: str) -> web.Response:
    if form == "csv":
        return _file(csv_of(*reports), form, name)
    is_page = form == "html"
    told = render_portfolio(portfolio, locale) if is_page else orjson.dumps(portfolio.to_json()).decode()
    return _file(told, form, name)


def _file(text: str, form: str, name: str) -> web.Response:
    harmless = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{harmless}.{form}"'}
    return web.Response(text=text, content_type=KINDS[form], charset="utf-8", headers=headers)
