"""A report as it is kept: plain JSON from which the report comes back whole, of any range of dates and any authors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.jobs.analysis.languages.exclusions import Excluded
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports import remarks
from bot.jobs.analysis.reports.assembly import AuthorFilter
from bot.jobs.analysis.reports.days import Days
from bot.jobs.analysis.reports.insights import Insights
from bot.jobs.analysis.reports.ranges import Range
from bot.jobs.analysis.reports.report import AuthorReport, CoAuthor, Framework, LanguageShare, Ownership, Report
from bot.jobs.analysis.reports.series import Activity, moment

_NOTHING_DONE = Activity()


def to_store(report: Report) -> dict[str, Any]:
    """The report as JSON; its timeline is left out, since it comes back from the days."""
    if report.days is None:
        raise ValueError("a report is kept with its days")
    told = report.to_json()
    del told["timeline"]
    folders = [[[*author, lines] for author, lines in folder.owners.items()] for folder in report.ownership]
    return {
        "report": told,
        "days": report.days.to_json(),
        "folders": folders,
        "logins": dict(report.logins),
        "remarks": remarks.to_keep(report.warnings),
    }


def from_store(body: Mapping[str, Any]) -> Report:
    """What `to_store` was given."""
    told, days = body["report"], Days.from_json(body["days"])
    series = days.series()
    co_authors = told.get("coAuthors")
    return Report(
        repository=told["repository"],
        ref=told["ref"],
        head=told["head"],
        generated_at=int(datetime.fromisoformat(told["generatedAt"]).timestamp()),
        exact=told["exact"],
        files=told["files"],
        lines=told["lines"],
        authors=[_author(entry) for entry in told["authors"]],
        languages=[LanguageShare(**entry) for entry in told["languages"]],
        frameworks=[Framework(**entry) for entry in told["frameworks"]],
        week=series.week,
        month=series.month,
        ownership=[_folder(*pair) for pair in zip(told["ownership"], body["folders"], strict=True)],
        excluded=[Excluded(entry["path"], entry["reason"]) for entry in told["excluded"]],
        warnings=remarks.from_kept(told["warnings"], body.get("remarks", ())),
        per_file=told.get("perFile"),
        co_authors=co_authors and [CoAuthor(_person(entry), entry["commits"]) for entry in co_authors],
        insights=Insights.from_json(told),
        days=days,
        logins=body["logins"],
    )


def narrowed(report: Report, within: Range, authors: Iterable[str] = ()) -> Report:
    """The report of a range of days and of some authors (names, addresses or logins, in any case).

    The range limits what was done and when, never the lines that are there; totals stay those of all authors.
    """
    shown = AuthorFilter(authors, logins=report.logins)
    entries = [entry for entry in report.authors if shown.shows(entry.author)]
    if report.days is None or within.is_open:
        week, month = shown.rows(report.week), shown.rows(report.month)
        return dataclasses.replace(report, authors=entries, week=week, month=month)
    days = report.days.within(within)
    series = days.series()
    done = [_doing(entry, series.activity.get(entry.author, _NOTHING_DONE)) for entry in entries]
    return dataclasses.replace(
        report,
        authors=[entry for entry in done if entry.lines or entry.commits],
        week=shown.rows(series.week),
        month=shown.rows(series.month),
        days=days,
    )


def _doing(entry: AuthorReport, activity: Activity) -> AuthorReport:
    """The author's lines, with what they did in another range of time."""
    return dataclasses.replace(
        entry,
        commits=activity.commits,
        added=activity.added,
        deleted=activity.deleted,
        first_commit=None if activity.first is None else moment(activity.first),
        last_commit=None if activity.last is None else moment(activity.last),
        extensions=dict(sorted(activity.extensions.items(), key=lambda item: (-item[1], item[0]))),
    )


def _author(told: Mapping[str, Any]) -> AuthorReport:
    return AuthorReport(
        author=_person(told),
        lines=told["lines"],
        share=told["share"],
        files=told["files"],
        commits=told["commits"],
        added=told["added"],
        deleted=told["deleted"],
        first_commit=told["firstCommit"],
        last_commit=told["lastCommit"],
        languages=told["languages"],
        extensions=told["extensions"],
    )


def _person(told: Mapping[str, Any]) -> Author:
    return Author(told["name"], told["email"])


def _folder(told: Mapping[str, Any], owners: list[list[Any]]) -> Ownership:
    by_author = {Author(name, email): lines for name, email, lines in owners}
    return Ownership(told["path"], told["lines"], next(iter(by_author)), told["share"], by_author)
